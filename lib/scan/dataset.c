/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/dataset.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "program/program.h"
#include "scan/nvme_device.h"

enum { NAME_MAX_BYTES = 64, ALLOW_MAX_NAMES = 256, SCHEMA_MAX_BYTES = 64 << 10 };

/* A name goes into messages, file names and log lines: nothing that needs quoting there. */
static bool name_is_good(const char *s, size_t n)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return n > 0 && n <= NAME_MAX_BYTES && s[0] != '-' && s[0] != '.' && strspn(s, good) >= n;
}

/* Decimal digits only: strtoull takes signs, spaces and overflow in silence. */
static bool parse_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

static int set_text(char **member, const char *value, struct nf_error *err)
{
	char *copy = strdup(value);

	if (!copy) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	free(*member);
	*member = copy;
	return 0;
}

static int set_name(struct dataset_spec *spec, const char *value, struct nf_error *err)
{
	if (!name_is_good(value, strlen(value)))
		return nf_error_set(err, NF_INVALID_ARGUMENT, "name",
				    "\"%s\" is not a data set's name: 1 to %d letters, digits, "
				    "'_', '-' or '.', beginning with a letter, digit or '_'",
				    value, NAME_MAX_BYTES);
	return set_text(&spec->name, value, err);
}

static int set_path(struct dataset_spec *spec, const char *value, struct nf_error *err)
{
	if (!*value)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "path",
				    "the path is empty: name a file, a folder or a glob");
	return set_text(&spec->path, value, err);
}

static int set_format(struct dataset_spec *spec, const char *value, struct nf_error *err)
{
	uint64_t n;

	if (!strcmp(value, "lines")) {
		spec->format = FORMAT_LINES;
		spec->record_bytes = 0;
		return 0;
	}
	if (!strncmp(value, "fixed:", 6) && parse_u64(value + 6, &n) && n >= 1 &&
	    n <= PROGRAM_MAX_RECORD_BYTES) {
		spec->format = FORMAT_FIXED;
		spec->record_bytes = (uint32_t)n;
		return 0;
	}
	return nf_error_set(
		err, NF_INVALID_ARGUMENT, "format",
		"\"%s\" is not a format: say fixed:N, N being a record's size of 1 to %d "
		"bytes, or lines",
		value, PROGRAM_MAX_RECORD_BYTES);
}

static int set_skip(struct dataset_spec *spec, const char *value, struct nf_error *err)
{
	uint64_t n;

	if (!parse_u64(value, &n) || n > INT64_MAX)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "skip",
				    "\"%s\" is not a number of bytes to pass over: say skip=128",
				    value);
	spec->skip_bytes = n;
	return 0;
}

static int set_tail(struct dataset_spec *spec, const char *value, struct nf_error *err)
{
	if (strcmp(value, "ignore") && strcmp(value, "error"))
		return nf_error_set(err, NF_INVALID_ARGUMENT, "tail",
				    "\"%s\" says nothing about a last record cut short: say "
				    "tail=ignore or tail=error",
				    value);
	spec->tail_ignore = !strcmp(value, "ignore");
	return 0;
}

static void allow_free(char **allow)
{
	for (char **a = allow; a && *a; a++)
		free(*a);
	free(allow);
}

static int set_allow(struct dataset_spec *spec, const char *value, struct nf_error *err)
{
	size_t n = 1;

	for (const char *p = value; *p; p++)
		n += *p == '+';
	if (n > ALLOW_MAX_NAMES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "allow",
				    "%zu identities; at most %d are possible", n, ALLOW_MAX_NAMES);
	char **allow = calloc(n + 1, sizeof(*allow));
	if (!allow)
		goto no_memory;
	n = 0;
	for (const char *p = value;; p++) {
		size_t len = strcspn(p, "+");

		if (len == 0) {
			allow_free(allow);
			return nf_error_set(err, NF_INVALID_ARGUMENT, "allow",
					    "\"%s\" has an empty identity: say allow=alice+bob",
					    value);
		}
		allow[n] = strndup(p, len);
		if (!allow[n++])
			goto no_memory;
		p += len;
		if (!*p)
			break;
	}
	allow_free(spec->allow);
	spec->allow = allow;
	return 0;
no_memory:
	allow_free(allow);
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	return -ENOMEM;
}

static int set_schema(struct dataset_spec *spec, const char *value, struct nf_error *err)
{
	if (!*value || strlen(value) > SCHEMA_MAX_BYTES)
		return nf_error_set(
			err, NF_INVALID_ARGUMENT, "schema",
			"the schema has %zu bytes: say schema=name:type, ... in 1 to %d",
			strlen(value), SCHEMA_MAX_BYTES);
	return set_text(&spec->schema, value, err);
}

static const struct word {
	const char *key;
	int (*set)(struct dataset_spec *spec, const char *value, struct nf_error *err);
} words[] = {
	{"name", set_name}, {"path", set_path},   {"format", set_format}, {"skip", set_skip},
	{"tail", set_tail}, {"allow", set_allow}, {"schema", set_schema},
};

int dataset_spec_set(struct dataset_spec *spec, const char *key, const char *value,
		     struct nf_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(key, words[i].key))
			return words[i].set(spec, value, err);
	return nf_error_set(err, NF_INVALID_ARGUMENT, key,
			    "there is no such key: use format, skip, tail, allow or schema");
}

/* One "key=value" of the list after the path. *seen has a bit per row of words[]. */
static int parse_word(struct dataset_spec *spec, const char *key, const char *value, unsigned *seen,
		      struct nf_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(key, words[i].key))
			continue;
		if (*seen & (1u << i))
			return nf_error_set(err, NF_INVALID_ARGUMENT, key,
					    "this key is given twice: give it once");
		*seen |= 1u << i;
	}
	return dataset_spec_set(spec, key, value, err);
}

static int parse_into(char *text, struct dataset_spec *spec, struct nf_error *err)
{
	unsigned seen = 3; /* name and path stand in front */
	char *eq = strchr(text, '='), *rest;

	if (!eq || eq == text)
		return nf_error_set(
			err, NF_INVALID_ARGUMENT, text,
			"a data set is NAME=PATH,format=...: the name or '=' is missing");
	*eq = '\0';
	rest = eq + 1 + nvme_path_length(eq + 1); /* for any other path: up to the comma */
	if (*rest)
		*rest++ = '\0';
	else
		rest = NULL;
	int ret = set_name(spec, text, err);
	if (!ret)
		ret = set_path(spec, eq + 1, err);
	while (!ret && rest) {
		char *word = rest, *value = strchr(word, '=');

		word += strspn(word, " ");
		/* The schema has commas of its own, so it takes all that is left. */
		if (!strncmp(word, "schema=", 7)) {
			rest = NULL;
		} else {
			rest = strchr(word, ',');
			if (rest)
				*rest++ = '\0';
		}
		value = strchr(word, '=');
		if (!value)
			return nf_error_set(
				err, NF_INVALID_ARGUMENT, word,
				"expected key=value after the path: format=fixed:N or "
				"format=lines, skip=BYTES, tail=ignore, allow=A+B, schema=...");
		*value++ = '\0';
		ret = parse_word(spec, word, value, &seen, err);
	}
	return ret ? ret : dataset_spec_check(spec, err);
}

int dataset_spec_parse(const char *text, struct dataset_spec *ret, struct nf_error *err)
{
	AUTO_FREE char *copy = strdup(text);
	AUTO(dataset_spec_done) struct dataset_spec spec = {0};

	if (!copy) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	int r = parse_into(copy, &spec, err);
	if (r)
		return r;
	*ret = spec;
	spec = (struct dataset_spec){0};
	return 0;
}

int dataset_spec_check(const struct dataset_spec *spec, struct nf_error *err)
{
	switch (spec->format) {
	case FORMAT_FIXED:
		if (!spec->record_bytes && spec->schema && strstr(spec->schema, "format="))
			return nf_error_set(err, NF_INVALID_ARGUMENT, "format",
					    "schema takes all that follows it: give it last");
		if (!spec->record_bytes)
			return nf_error_set(
				err, NF_INVALID_ARGUMENT, "format",
				"no format is given: say format=fixed:N or format=lines");
		if (spec->record_bytes > PROGRAM_MAX_RECORD_BYTES)
			return nf_error_set(err, NF_INVALID_ARGUMENT, "format",
					    "a record of %u bytes is too long: at most %d",
					    spec->record_bytes, PROGRAM_MAX_RECORD_BYTES);
		break;
	case FORMAT_LINES:
		if (spec->tail_ignore)
			return nf_error_set(err, NF_INVALID_ARGUMENT, "tail",
					    "tail=ignore is for fixed records: a last line without "
					    "newline is a line; leave tail out");
		break;
	default:
		return nf_error_set(err, NF_INVALID_ARGUMENT, "format", "format %d is unknown",
				    (int)spec->format);
	}
	if (spec->skip_bytes > INT64_MAX)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "skip",
				    "no file is so large that %llu bytes can be passed over",
				    (unsigned long long)spec->skip_bytes);
	return 0;
}

void dataset_format_text(const struct dataset_spec *spec, char buf[32])
{
	if (spec->format == FORMAT_LINES)
		snprintf(buf, 32, "lines");
	else
		snprintf(buf, 32, "fixed:%u", spec->record_bytes);
}

int dataset_spec_copy(const struct dataset_spec *from, struct dataset_spec *ret)
{
	AUTO(dataset_spec_done)
	struct dataset_spec to = {
		.format = from->format,
		.record_bytes = from->record_bytes,
		.skip_bytes = from->skip_bytes,
		.tail_ignore = from->tail_ignore,
	};
	size_t n = 0;

	if (from->name && !(to.name = strdup(from->name)))
		return -ENOMEM;
	if (from->path && !(to.path = strdup(from->path)))
		return -ENOMEM;
	if (from->schema && !(to.schema = strdup(from->schema)))
		return -ENOMEM;
	if (from->allow) {
		while (from->allow[n])
			n++;
		to.allow = calloc(n + 1, sizeof(*to.allow));
		if (!to.allow)
			return -ENOMEM;
		for (size_t i = 0; i < n; i++)
			if (!(to.allow[i] = strdup(from->allow[i])))
				return -ENOMEM;
	}
	*ret = to;
	to = (struct dataset_spec){0};
	return 0;
}

void dataset_spec_done(struct dataset_spec *spec)
{
	free(spec->name);
	free(spec->path);
	free(spec->schema);
	allow_free(spec->allow);
	*spec = (struct dataset_spec){0};
}
