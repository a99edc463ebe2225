/* Writes tcpwhy-rules(7) from the rows of the catalogue. The page in the tree is its output; a test
 * compares them. */

#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

/* mdoc reads a leading dot or quote as a request, a backslash as an escape. */
static void put(const char *text)
{
	if (*text == '.' || *text == '\'')
		printf("\\&");
	for (; *text; text++) {
		if (*text == '\\')
			printf("\\e");
		else if (*text == '-')
			printf("\\-");
		else if (*text == '\'')
			printf("\\(aq");
		else
			putchar(*text);
	}
	putchar('\n');
}

/* One sentence a line, as mandoc wants it. */
static void put_sentences(const char *text)
{
	char line[2048];

	while (*text) {
		size_t n = 0;

		while (text[n] && n < sizeof(line) - 1 &&
		       !(n > 0 && text[n] == ' ' && strchr(".?!", text[n - 1])))
			n++;
		memcpy(line, text, n);
		line[n] = '\0';
		put(line);
		text += n;
		while (*text == ' ')
			text++;
	}
}

static void put_rule(const struct rule_text *r)
{
	printf(".Ss %s\n", r->id);
	put_sentences(r->title);
	printf(".Pp\n");
	put_sentences(r->why);
	if (r->fixes[0].text || r->avoid[0])
		printf(".Bl -tag -width operation\n");
	for (size_t i = 0; i < MAX_FIXES && r->fixes[i].text; i++) {
		printf(".It Em %s\n", fix_kind_name(r->fixes[i].kind));
		put_sentences(r->fixes[i].text);
		if (r->fixes[i].command) {
			printf(".br\n.Ql ");
			put(r->fixes[i].command);
		}
	}
	for (size_t i = 0; i < MAX_AVOID && r->avoid[i]; i++) {
		printf(".It Em avoid\n");
		put_sentences(r->avoid[i]);
	}
	if (r->fixes[0].text || r->avoid[0])
		printf(".El\n");
	printf(".Pp\nSource: ");
	put(r->refs);
}

int main(void)
{
	printf(".\\\" Written by man/rules_page.c from the rows of src/rules. Do not edit.\n"
	       ".Dd November 21, 2026\n.Dt TCPWHY-RULES 7\n.Os\n.Sh NAME\n.Nm tcpwhy-rules\n"
	       ".Nd what tcpwhy can find\n.Sh DESCRIPTION\n"
	       "Each finding of\n.Xr tcpwhy 8\ncarries the name of one of these rules.\n"
	       "Words in braces are filled in by the finding.\n");
	for (size_t i = 0; i < rules_count(); i++)
		put_rule(rules_text(i));
	printf(".Sh SEE ALSO\n.Xr tcpwhy-filter 7 ,\n.Xr tcpwhy 8\n");
	return 0;
}
