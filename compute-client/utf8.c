/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/utf8.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

uint32_t utf8_next(const char **text, const char *end)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)*text;
	size_t left = (size_t)(end - *text), more;
	uint32_t c = s[0];

	*text += 1;
	if (c < 0x80)
		return c;
	if (c >= 0xf8 || c < 0xc0)
		return 0xfffd;
	more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	if (left <= more)
		return 0xfffd;
	c &= 0x3fu >> more;
	for (size_t i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0xfffd;
	*text += more;
	return c;
}

void utf8_put(FILE *out, uint32_t c)
{
	if (c < 0x80) {
		fputc((int)c, out);
		return;
	}
	if (c < 0x800) {
		fputc((int)(0xc0 | c >> 6), out);
	} else {
		if (c < 0x10000) {
			fputc((int)(0xe0 | c >> 12), out);
		} else {
			fputc((int)(0xf0 | c >> 18), out);
			fputc((int)(0x80 | (c >> 12 & 0x3f)), out);
		}
		fputc((int)(0x80 | (c >> 6 & 0x3f)), out);
	}
	fputc((int)(0x80 | (c & 0x3f)), out);
}

/* wcwidth() knows widths only in a UTF-8 locale, and the program that uses this library may be in
 * none. NULL when the machine lacks C.UTF-8: then every character counts as one column. */
static locale_t utf8_locale(void)
{
	static locale_t locale;

	if (!locale) {
		locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), none = NULL;

		if (made && !__atomic_compare_exchange_n(&locale, &none, made, false,
							 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			freelocale(made);
	}
	return locale;
}

size_t utf8_put_printable(FILE *out, const char *text)
{
	const char *end = text + strlen(text);
	locale_t ours = utf8_locale(), before = ours ? uselocale(ours) : (locale_t)0;
	size_t columns = 0;

	while (text < end) {
		uint32_t c = utf8_next(&text, end);
		char escaped[12] = "";

		if (c == '\n' || c == '\t' || c == '\r')
			snprintf(escaped, sizeof(escaped), "\\%c",
				 c == '\n'   ? 'n'
				 : c == '\t' ? 't'
					     : 'r');
		else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned)c);
		else if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
			/* direction overrides: a name could pass for another */
			snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)c);
		if (escaped[0]) {
			columns += strlen(escaped);
			if (out)
				fputs(escaped, out);
			continue;
		}
		int width = c < 0x80 ? 1 : wcwidth((wchar_t)c);

		columns += width < 0 ? 1 : (size_t)width;
		if (out)
			utf8_put(out, c);
	}
	if (before)
		uselocale(before);
	return columns;
}
