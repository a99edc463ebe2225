#include "cli/screen.h"
#include "report/escape.h"
#include "report/watch.h"
#include "report/wrap.h"
#include "util/arena.h"
#include "util/i18n.h"

#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How it works: everything is drawn anew at every change; ncurses sends the difference. From top to
 * bottom: title, sums, what is filtered and sorted by, the table, findings, events, keys. Findings
 * and events take a third of the height each at most, the table has the rest. */

enum { MAX_FILTER = 40, ESCAPE = 27, DELETE = 127, ESCAPE_WAIT_MS = 50 };

enum { PAIR_PROBLEM = 1, PAIR_WARNING };

struct sort_key {
	char key;
	const char *name;
	int (*compare)(const struct frame_owner *a, const struct frame_owner *b); /* < 0: a first */
};

struct screen {
	SCREEN *terminal;
	struct screen_style style;
	const struct sort_key *sort;
	char filter[MAX_FILTER + 1];
	bool is_typing, is_frozen, has_help;
	size_t first; /* of the rows shown */
	size_t page;
};

/* Sorting. */

static int more_first(int64_t a, int64_t b)
{
	return (a < b) - (a > b);
}

static int by_close_wait(const struct frame_owner *a, const struct frame_owner *b)
{
	return more_first((int64_t)a->n[STATE_CLOSE_WAIT], (int64_t)b->n[STATE_CLOSE_WAIT]);
}

static int by_time_wait(const struct frame_owner *a, const struct frame_owner *b)
{
	return more_first((int64_t)a->n[STATE_TIME_WAIT], (int64_t)b->n[STATE_TIME_WAIT]);
}

static int by_gain(const struct frame_owner *a, const struct frame_owner *b)
{
	return more_first(a->gain, b->gain);
}

static int by_oldest(const struct frame_owner *a, const struct frame_owner *b)
{
	return more_first(a->oldest.known ? (int64_t)a->oldest.ms : -1,
			  b->oldest.known ? (int64_t)b->oldest.ms : -1);
}

static int by_left(const struct frame_owner *a, const struct frame_owner *b)
{
	return more_first(a->is_filling ? -(int64_t)a->left_ms : INT64_MIN,
			  b->is_filling ? -(int64_t)b->left_ms : INT64_MIN);
}

static int by_pid(const struct frame_owner *a, const struct frame_owner *b)
{
	return more_first(a->proc ? -a->proc->pid : INT32_MIN, b->proc ? -b->proc->pid : INT32_MIN);
}

static int by_name(const struct frame_owner *a, const struct frame_owner *b)
{
	if (!a->proc || !b->proc)
		return (a->proc == NULL) - (b->proc == NULL);
	return strcmp(a->proc->comm, b->proc->comm);
}

static const struct sort_key sort_keys[] = {
	{ 'c', N_("CLOSE-WAIT"), by_close_wait }, { 'g', N_("gain"), by_gain },
	{ 't', N_("TIME-WAIT"), by_time_wait },   { 'o', N_("oldest"), by_oldest },
	{ 'e', N_("EMFILE"), by_left },           { 'p', N_("pid"), by_pid },
	{ 'n', N_("name"), by_name },
};

/* A few dozen rows: what is equal keeps its order. */
static void sort_rows(const struct screen *s, const struct frame_owner **rows, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct frame_owner *row = rows[i];
		size_t k = i;

		for (; k > 0 && s->sort->compare(rows[k - 1], row) > 0; k--)
			rows[k] = rows[k - 1];
		rows[k] = row;
	}
}

/* Opening and closing. */

static void give_back(void)
{
	if (!isendwin())
		endwin();
}

static void on_crash(int signal)
{
	endwin();
	raise(signal); /* its action is the default again */
}

static void guard_terminal(void)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND | SA_NODEFER };

	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		sigaction(deadly[i], &action, NULL);
	atexit(give_back);
}

struct screen *screen_open(const struct screen_style *style)
{
	SCREEN *terminal = newterm(NULL, stdout, stdin);
	struct screen *s = terminal ? calloc(1, sizeof(*s)) : NULL;

	if (!terminal)
		return NULL;
	if (!s)
		arena_die();
	s->terminal = terminal;
	s->style = *style;
	s->sort = &sort_keys[0];
	guard_terminal();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_WAIT_MS);
	curs_set(0);
	if (style->colour && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_PROBLEM, COLOR_RED, -1);
		init_pair(PAIR_WARNING, COLOR_YELLOW, -1);
	}
	return s;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	endwin();
	delscreen(s->terminal);
	free(s);
}

bool screen_is_frozen(const struct screen *s)
{
	return s->is_frozen;
}

/* Drawing. */

/* Bytes of the text that fit, whole characters; *ret_left is what stays free. */
static size_t fitting(const char *text, size_t columns, size_t *ret_left)
{
	size_t n = 0;

	while (text[n]) {
		uint32_t c;
		size_t len = utf8_next(text + n, strlen(text + n), &c);
		size_t used = text_columns(text + n, len ? len : 1);

		if (used > columns)
			break;
		columns -= used;
		n += len ? len : 1;
	}
	*ret_left = columns;
	return n;
}

/* One line of text, cut at the right edge. */
static void put_line(int y, const char *text, attr_t attributes)
{
	size_t left, n = fitting(text, (size_t)COLS, &left);

	attrset(attributes);
	mvaddnstr(y, 0, text, (int)n);
	for (; (attributes & A_REVERSE) && left > 0; left--)
		addch(' ');
	attrset(A_NORMAL);
	clrtoeol();
}

/* Lines the text takes, broken at blanks; drawn from y on, at most up to `end`, or not at all if that
 * is negative. */
static int put_prose(int y, int end, const char *text, attr_t attributes)
{
	enum { INDENT = 4, NARROWEST = 20 };
	int n = 0;

	for (size_t indent = 0; *text && (end < 0 || y + n < end); indent = INDENT, n++) {
		size_t left, width = COLS > NARROWEST ? (size_t)COLS - indent : NARROWEST;
		size_t len = fitting(text, width, &left), cut = len;

		while (text[len] && cut > 0 && text[cut] != ' ')
			cut--;
		cut = cut > 0 ? cut : len;
		if (end >= 0) {
			attrset(attributes);
			mvaddnstr(y + n, (int)indent, text, (int)cut);
			attrset(A_NORMAL);
		}
		text += cut + strspn(text + cut, " ");
		if (cut == 0)
			break;
	}
	return n;
}

static attr_t severity_style(const struct screen *s, enum severity severity)
{
	bool has_colour = s->style.colour && has_colors();

	if (severity == SEVERITY_PROBLEM)
		return A_BOLD | (has_colour ? (attr_t)COLOR_PAIR(PAIR_PROBLEM) : 0);
	if (severity == SEVERITY_WARNING)
		return has_colour ? (attr_t)COLOR_PAIR(PAIR_WARNING) : A_BOLD;
	return A_NORMAL;
}

static bool is_wanted(const struct screen *s, const char *text)
{
	return !s->filter[0] || strcasestr(text, s->filter) != NULL;
}

/* The owners whose lines pass the filter, in order. The caller frees. */
static const struct frame_owner **select_rows(const struct screen *s, const struct frame *f,
					      size_t *ret_n)
{
	const struct frame_owner **rows = xrealloc_array(NULL, f->n_owners + 1, sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; i < f->n_owners; i++) {
		const struct frame_owner *o = &f->owners[i];
		AUTO_BUF text = { 0 };

		watch_put_name(&text, o, s->style.ascii);
		if (o->proc && o->proc->unit) {
			buf_putc(&text, ' ');
			buf_puts(&text, o->proc->unit);
		}
		if (is_wanted(s, buf_text(&text)))
			rows[n++] = o;
	}
	sort_rows(s, rows, n);
	*ret_n = n;
	return rows;
}

static void draw_table(struct screen *s, const struct frame *f, int top, int end)
{
	size_t n, room = end > top ? (size_t)(end - top) : 0;
	const struct frame_owner **rows = select_rows(s, f, &n);
	int y = top;

	s->page = room ? room : 1;
	if (s->first + room > n)
		s->first = n > room ? n - room : 0;
	for (size_t i = s->first; i < n && y < end; i++) {
		AUTO_BUF line = { 0 };

		watch_put_row(&line, rows[i], s->style.ascii);
		put_line(y++, buf_text(&line),
			 rows[i]->is_filling ? severity_style(s, SEVERITY_PROBLEM) : A_NORMAL);
	}
	if (n == 0 && y < end)
		put_line(y, s->filter[0] ? _("nobody of that name") : _("nobody"), A_DIM);
	free(rows);
}

/* Worst first, from `top` to `end`, or only counted where `end` is negative. */
static int draw_findings(const struct screen *s, const struct frame *f, int top, int end)
{
	int n = 0;

	for (size_t i = 0; i < f->findings->n && (end < 0 || top + n < end); i++) {
		const struct finding *finding = &f->findings->at[i];
		AUTO_BUF text = { 0 };

		watch_put_finding(&text, finding, s->style.ascii);
		if (is_wanted(s, buf_text(&text)))
			n += put_prose(top + n, end, buf_text(&text),
				       severity_style(s, finding->severity));
	}
	return n;
}

/* The first of the newest events that fit into so many lines; *ret_lines is what they take. */
static size_t first_event(const struct screen *s, const struct screen_news *news, int room,
			  int *ret_lines)
{
	size_t first = news->n_events;

	for (*ret_lines = 0; first > 0; first--) {
		const char *text = news->events[first - 1];
		int lines = is_wanted(s, text) ? put_prose(0, -1, text, A_NORMAL) : 0;

		if (*ret_lines + lines > room)
			break;
		*ret_lines += lines;
	}
	return first;
}

static void draw_events(const struct screen *s, const struct screen_news *news, size_t first, int top,
			int end)
{
	for (size_t i = first; i < news->n_events; i++)
		if (is_wanted(s, news->events[i]))
			top += put_prose(top, end, news->events[i], A_NORMAL);
}

static void draw_help(int top, int end)
{
	static const char *const help[] = {
		N_("Sort by  c CLOSE-WAIT  g gain  t TIME-WAIT  o oldest  e EMFILE  p pid  n name"),
		N_("/        filter by owner or unit as you type; Enter keeps it, Esc clears it"),
		N_("space    freeze the picture, and go on"),
		N_("arrows, PgUp, PgDn, Home, End: scroll"),
		N_("h or ?   this help; q quits"),
		"",
		N_("C-WAIT   CLOSE-WAIT: the peer has closed, the process has not"),
		N_("GAIN/S   CLOSE-WAITs more a second"),
		N_("FW1 to T-WAIT: FIN-WAIT-1, FIN-WAIT-2, CLOSING, LAST-ACK, TIME-WAIT"),
		N_("OLDEST   of CLOSE-WAIT and FIN-WAIT-2"),
		N_("EMFILE   when no descriptor is left, if CLOSE-WAITs go on growing like this"),
		N_("(closed) by their applications: the kernel ends them by itself"),
	};

	for (size_t i = 0; i < ARRAY_LEN(help) && top < end; i++)
		put_line(top++, *help[i] ? _(help[i]) : "", A_NORMAL);
}

static void put_choice(const struct screen *s, struct buf *b)
{
	buf_printf(b, _("by %s"), _(s->sort->name));
	if (s->is_typing || s->filter[0]) {
		buf_puts(b, _("   filter: "));
		escape_terminal(b, s->filter, s->style.ascii);
	}
	if (s->is_typing)
		buf_putc(b, '_');
	if (s->is_frozen)
		buf_puts(b, _("   FROZEN"));
}

void screen_draw(struct screen *s, const struct frame *f, const struct screen_news *news)
{
	enum { TITLES = 3, HEADING = TITLES, TABLE = HEADING + 1 };
	int keys = LINES - 1, third = LINES / 3, n_events;
	size_t event = first_event(s, news, third, &n_events);
	int n_findings = draw_findings(s, f, 0, -1);
	int findings = keys - n_events - (n_findings < third ? n_findings : third);
	AUTO_BUF sums = { 0 }, choice = { 0 }, heading = { 0 };

	erase();
	watch_put_states(&sums, f);
	put_choice(s, &choice);
	watch_put_heading(&heading);
	put_line(0, news->title, A_BOLD);
	put_line(1, buf_text(&sums), A_NORMAL);
	put_line(2, buf_text(&choice), A_NORMAL);
	if (s->has_help) {
		draw_help(HEADING, keys);
	} else {
		put_line(HEADING, buf_text(&heading), A_REVERSE);
		draw_table(s, f, TABLE, findings);
		draw_findings(s, f, findings > TABLE ? findings : TABLE, keys - n_events);
		draw_events(s, news, event, keys - n_events, keys);
	}
	put_line(keys, _("q quit  / filter  c g t o e p n sort  space freeze  h help"), A_REVERSE);
	refresh();
}

/* Keys. */

static void type_filter(struct screen *s, int key)
{
	size_t n = strlen(s->filter);

	if (key == ESCAPE) {
		s->filter[0] = '\0';
		s->is_typing = false;
	} else if (key == '\r' || key == '\n' || key == KEY_ENTER) {
		s->is_typing = false;
	} else if (key == KEY_BACKSPACE || key == DELETE || key == '\b') {
		/* Whole characters: the rest of one goes with its first byte. */
		while (n > 0 && (s->filter[n - 1] & 0xc0) == 0x80)
			n--;
		s->filter[n > 0 ? n - 1 : 0] = '\0';
	} else if (key >= ' ' && key < 256 && key != DELETE && n < MAX_FILTER) {
		s->filter[n] = (char)key;
		s->filter[n + 1] = '\0';
	}
}

static void scroll_by(struct screen *s, int key)
{
	size_t page = s->page;

	if (key == KEY_UP)
		s->first -= s->first > 0;
	else if (key == KEY_DOWN)
		s->first++;
	else if (key == KEY_PPAGE)
		s->first -= s->first > page ? page : s->first;
	else if (key == KEY_NPAGE)
		s->first += page;
	else if (key == KEY_HOME)
		s->first = 0;
	else if (key == KEY_END)
		s->first = SIZE_MAX / 2; /* drawing stops at the last page */
}

static void command_key(struct screen *s, int key)
{
	for (size_t i = 0; i < ARRAY_LEN(sort_keys); i++)
		if (sort_keys[i].key == key)
			s->sort = &sort_keys[i];
	if (key == '/')
		s->is_typing = true;
	else if (key == ' ')
		s->is_frozen = !s->is_frozen;
	else if (key == 'h' || key == '?')
		s->has_help = !s->has_help;
	else if (key == ESCAPE) {
		s->has_help = false;
		s->filter[0] = '\0';
	} else
		scroll_by(s, key);
}

bool screen_keys(struct screen *s)
{
	for (int key = getch(); key != ERR; key = getch()) {
		if (s->is_typing)
			type_filter(s, key);
		else if (key == 'q' || key == 'Q')
			return false;
		else
			command_key(s, key);
	}
	return true;
}
