#include "cli/run.h"
#include "util/i18n.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* The program on one page: options -> look -> join -> judge -> report -> exit status. */
int run_tcpwhy(int argc, char **argv)
{
	struct options o;
	int status;

	if (argc > 1 && strcmp(argv[1], "__complete") == 0)
		return run_complete(argc, argv);
	if (!options_parse(argc, argv, &o, &status))
		return status;
	switch (o.command) {
	case COMMAND_WHY:
		return run_why(&o);
	case COMMAND_LIST:
		return run_list(&o);
	case COMMAND_PCAP:
		return run_pcap(&o);
	case COMMAND_EXPLAIN:
		return run_explain(&o);
	case COMMAND_CHECK:
		return run_check(&o);
	case COMMAND_LAB:
		return run_lab(&o);
	case COMMAND_AUDIT:
		return run_audit(&o);
	case COMMAND_WATCH:
		return run_watch(&o);
	case COMMAND_SNAPSHOT:
		return run_snapshot(&o);
	}
	return STATUS_USAGE;
}

/* Text is UTF-8 or ASCII, and in one language: where there are no words of ours in the user's, those of
 * the C library would stand alone among English ones. A static program would also die of the tables
 * of another charset, which it would load from a host with another C library. */
static void choose_language(void)
{
	setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C");
	bindtextdomain("tcpwhy", TCPWHY_LOCALEDIR);
	textdomain("tcpwhy");
	/* The header of the catalogue, if there is one. */
	if (!*gettext(""))
		setlocale(LC_MESSAGES, "C");
}

int main(int argc, char **argv)
{
	choose_language();
	int status = run_tcpwhy(argc, argv);

	/* --help and --version go through stdio: a full disk must not look like success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE && status == STATUS_OK) {
		perror("tcpwhy: stdout");
		status = STATUS_FAILED;
	}
	return status;
}
