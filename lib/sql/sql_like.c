/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_like.c - LIKE: % is any text, _ one character (of UTF-8), \ takes what follows as it is.
 *
 * When something does not match, only the last % can still help, by taking one character more:
 * what the ones before it took is already the shortest that fits. So there is one place to go back
 * to and no recursion, and the time is at most the product of the two lengths.
 */
#include "sql/sql_value.h"

struct span {
	const char *at, *end;
};

static void next_character(struct span *s)
{
	s->at++;
	while (s->at < s->end && ((unsigned char)*s->at & 0xc0) == 0x80)
		s->at++;
}

/* Does the pattern's next element, which is no %, match the beginning of the text? Passes over
 * both if it does. A \ at the end of the pattern matches nothing. */
static bool match_one(struct span *text, struct span *pattern)
{
	if (*pattern->at == '_') {
		pattern->at++;
		next_character(text);
		return true;
	}
	const char *literal = pattern->at + (*pattern->at == '\\');
	if (literal == pattern->end || *literal != *text->at)
		return false;
	pattern->at = literal + 1;
	text->at++;
	return true;
}

bool sql_like(const char *text, size_t text_bytes, const char *pattern, size_t pattern_bytes)
{
	struct span t = {text, text + text_bytes}, p = {pattern, pattern + pattern_bytes};
	struct span t_again = {NULL, NULL}, p_again = p; /* behind the last % */

	while (t.at < t.end || p.at < p.end) {
		if (p.at < p.end && *p.at == '%') {
			p.at++;
			p_again = p;
			t_again = t;
			continue;
		}
		if (t.at < t.end && p.at < p.end && match_one(&t, &p))
			continue;
		if (!t_again.at || t_again.at == t_again.end)
			return false;
		next_character(&t_again);
		t = t_again;
		p = p_again;
	}
	return true;
}
