/*
 * Prints the manual's page of the configuration from the tables that read it, so that the
 * two cannot drift apart. Run at build time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector_config.h"

static const char head[] =
	".TH ASTRAY-COLLECTOR.JSON 5 \"\" \"astray\" \"File Formats\"\n"
	".SH NAME\nastray-collector.json \\- configuration of astray-collector\n"
	".SH DESCRIPTION\n"
	"JSON; // begins a comment. A key that is not known is an error, and so is a "
	"value that its key\n"
	"does not allow; file, line and the nearest key are named. Spans of time are "
	"texts such as\n"
	"\"10 s\", \"5 min\", \"2 h\", \"1 day\", or a number of seconds.\n"
	".B astray-collector init\nmakes a first one, and\n.B astray-collector "
	"check\\-config\n"
	"says whether one is good.\n"
	".SH KEYS\n";
static const char tail[] = ".SH SEE ALSO\n.BR astray-collector (8)\n";

static void put_escaped(const char *text)
{
	if (*text == '.' || *text == '\'')
		(void)fputs("\\&", stdout);
	for (; *text; text++)
		if (*text == '\\')
			(void)fputs("\\e", stdout);
		else if (*text == '-')
			(void)fputs("\\-", stdout);
		else
			(void)putchar(*text);
}

/* "  key (type, default)" begins a key, "      text" explains it, anything else names a
 * section. */
static void put_line(char *line)
{
	char *rest = strncmp(line, "  ", 2) == 0 ? strchr(line + 2, ' ') : NULL;

	if (strncmp(line, "      ", 6) == 0) {
		put_escaped(line + 6);
	} else if (rest) {
		*rest = '\0';
		(void)printf(".TP\n.BR ");
		put_escaped(line + 2);
		(void)printf(" \" ");
		for (char *c = rest + 1; *c; c++)
			if (*c == '"')
				(void)fputs("\\(dq", stdout);
			else
				(void)putchar(*c);
		(void)printf("\"");
	} else if (*line) {
		(void)printf(".SS ");
		put_escaped(line);
	}
	(void)putchar('\n');
}

int main(void)
{
	char *text = NULL, *at = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return EXIT_FAILURE;
	collector_config_describe(out);
	if (fclose(out))
		return EXIT_FAILURE;
	(void)fputs(head, stdout);
	for (char *line = strtok_r(text, "\n", &at); line;
		line = strtok_r(NULL, "\n", &at))
		put_line(line);
	(void)fputs(tail, stdout);
	free(text);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
