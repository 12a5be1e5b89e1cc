/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_sql.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/scope.h"
#include "compute-client/utf8.h"

enum {
	MAX_TEXT_BYTES = 1 << 20, /* of standard input; what is compiled has a limit of its own */
	SHOWN_BYTES = 90,         /* of a line; of a longer one the place's surroundings: */
	SHOWN_BEFORE = 50,
};

/* ---- how it is given ------------------------------------------------------------------------- */

static const char select_word[] = "select";
static const char blanks[] = " \t\r\n";
/* Some editors begin a file of UTF-8 with it; psql passes over it, too. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

bool cmd_sql_is_piece(const char *word)
{
	return strcasecmp(word, select_word) == 0;
}

/* Behind white space, comments and parentheses. */
static const char *first_word(const char *text)
{
	for (;;) {
		text += strspn(text, " \t\r\n(");
		if (strncmp(text, "--", 2) == 0) {
			text += strcspn(text, "\n");
		} else if (strncmp(text, "/*", 2) == 0) {
			const char *end = strstr(text, "*/");

			text = end ? end + 2 : text + strlen(text);
		} else {
			return text;
		}
	}
}

bool cmd_sql_is_query(const char *word)
{
	/* The others are refused, but in the words for SQL. */
	static const char *const begins[] = {select_word, "with", "explain", "values"};
	const char *first = first_word(word);

	for (unsigned i = 0; i < ARRAY_SIZE(begins); i++) {
		size_t n = strlen(begins[i]);

		if (strncasecmp(first, begins[i], n) == 0 && first[n] &&
		    strchr(" \t\r\n*('\"", first[n]))
			return access(word, F_OK) != 0;
	}
	return false;
}

static int read_input(char **ret)
{
	AUTO_FREE char *text = NULL;
	size_t n = 0, room = 0;
	ssize_t got;

	if (isatty(STDIN_FILENO))
		fputs("nearfold: type the query; Ctrl-D at the start of a line ends it\n", stderr);
	for (;;) {
		if (n + 2 > room) {
			char *grown = realloc(text, room = 2 * room + 4096);

			if (!grown)
				return cmd_usage("out of memory", NULL, "the query is too long");
			text = grown;
		}
		got = read(STDIN_FILENO, text + n, room - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (n > MAX_TEXT_BYTES)
			return cmd_usage("no query", "standard input",
					 "it has more than 1 MiB: is it a file of data?");
	}
	if (got < 0) {
		fprintf(stderr, "nearfold: cannot read the query: standard input: %s\n",
			strerror(errno));
		return EXIT_FAILED;
	}
	text[n] = '\0';
	if (strlen(text) != n)
		return cmd_usage("no query", "standard input",
				 "it has a NUL byte in it: SQL is text");
	if (strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0)
		memmove(text, text + strlen(byte_order_mark), n + 1 - strlen(byte_order_mark));
	if (!text[strspn(text, blanks)])
		return cmd_usage("no query", "standard input", "it is empty");
	*ret = TAKE_PTR(text);
	return EXIT_DONE;
}

int cmd_sql_text(const char *given, char **ret)
{
	if (strcmp(given, "-") == 0)
		return read_input(ret);
	if (!strpbrk(given, blanks) && access(given, F_OK) == 0)
		return cmd_usage(
			"a file where a query is expected", given,
			"give - <%s to read the query from it; nearfold run takes programs", given);
	*ret = strdup(given);
	return *ret ? EXIT_DONE : cmd_usage("out of memory", NULL, "the query is too long");
}

/* ---- its table ------------------------------------------------------------------------------- */

/* "/srv/trades.bin" is the table trades. */
static void file_table(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');

	snprintf(buf, size, "%.*s", (int)(dot && dot > base ? dot - base : (int)strlen(base)),
		 base);
}

/* A name that SQL takes as it is. */
static bool is_plain(const char *name)
{
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

int cmd_sql_local_table(const struct cmd_options *o, const char *table, const char *what)
{
	struct nearfold_error err = {.code = NF_NOT_FOUND, .where = "FROM"};
	char name[256];
	const char *quote;

	file_table(o->files[0], name, sizeof(name));
	if (strcmp(table, "data") == 0 || strcasecmp(table, name) == 0)
		return EXIT_DONE;
	quote = is_plain(name) ? "" : "\"";
	snprintf(err.text, sizeof(err.text),
		 "relation \"%s\" does not exist: local files are the table data, or %s%s%s as the "
		 "first file's name has it",
		 table, quote, name, quote);
	return cmd_failed(what, &err);
}

/* ---- when it fails --------------------------------------------------------------------------- */

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The line and the place in it that err->where names; both in text. */
static bool find_place(const struct nearfold_error *err, const char *text, const char **ret_line,
		       const char **ret_at)
{
	const char *words = strstr(err->where, "SQL, ");
	unsigned line = 1, column;

	if (!words || (sscanf(words, "SQL, line %u, column %u", &line, &column) != 2 &&
		       sscanf(words, "SQL, column %u", &column) != 1))
		return false;
	for (; line > 1; line--) {
		text = strchr(text, '\n');
		if (!text++)
			return false;
	}
	*ret_line = text;
	for (; column > 1 && *text && *text != '\n'; column--)
		do
			text++;
		while (continues(*text));
	*ret_at = text;
	return true;
}

static void put_excerpt(const char *line, const char *at)
{
	const char *end = at + strcspn(at, "\n"), *from = line + strspn(line, " \t");
	char before[SHOWN_BYTES + 1], behind[SHOWN_BYTES + 1];
	const char *cut = "", *rest = "";

	if (from > at)
		from = at;
	if (end - from > SHOWN_BYTES && at - from > SHOWN_BEFORE) {
		for (from = at - SHOWN_BEFORE; continues(*from); from++)
			;
		cut = "...";
	}
	if (end - from > SHOWN_BYTES) {
		for (end = from + SHOWN_BYTES; continues(*end); end--)
			;
		rest = "...";
	}
	snprintf(before, sizeof(before), "%.*s", (int)(at - from), from);
	snprintf(behind, sizeof(behind), "%.*s", (int)(end - at), at);
	fprintf(stderr, "    | %s", cut);

	size_t columns = strlen(cut) + utf8_put_printable(stderr, before);

	utf8_put_printable(stderr, behind);
	fprintf(stderr, "%s\n    | %*s^\n", rest, (int)columns, "");
}

int cmd_sql_failed(const char *what, const struct nearfold_error *err, const char *text)
{
	struct nearfold_error shown = *err;
	const char *line, *at;
	int status;

	if (err->code == NF_CANCELLED || !find_place(err, text, &line, &at))
		return cmd_failed(what, err);
	shown.source[0] = '\0';
	status = cmd_failed(what, &shown);
	put_excerpt(line, at);
	return status;
}
