/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_values.h"

#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/scope.h"

/* The digits at the beginning; *ret_rest is what follows. */
static bool digits(const char *text, uint64_t *ret, const char **ret_rest)
{
	uint64_t v = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (!checked_mul_u64(v, 10, &v) || !checked_add_u64(v, (uint64_t)(*p - '0'), &v))
			return false;
	if (p == text)
		return false;
	*ret = v;
	*ret_rest = p;
	return true;
}

bool value_count(const char *text, uint64_t max, uint64_t *ret)
{
	const char *rest;
	uint64_t v;

	if (!digits(text, &v, &rest) || *rest || v > max)
		return false;
	*ret = v;
	return true;
}

bool value_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	const char *rest, *unit;
	uint64_t v;

	if (!digits(text, &v, &rest))
		return false;
	if (*rest) {
		unit = strchr(units, *rest);
		if (!unit || rest[1])
			return false;
		if (!checked_mul_u64(v, 1ull << (10 * (unit - units + 1)), &v))
			return false;
	}
	if (v > INT64_MAX) /* no file is larger */
		return false;
	*ret_bytes = v;
	return true;
}

bool value_time(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{"", NS_PER_SEC},       {"ms", NS_PER_MS},        {"s", NS_PER_SEC},
		{"m", 60 * NS_PER_SEC}, {"h", 3600 * NS_PER_SEC},
	};
	const char *rest;
	uint64_t v;

	if (!digits(text, &v, &rest) || v == 0)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(rest, units[i].unit) == 0)
			return checked_mul_u64(v, units[i].ns, ret_ns);
	return false;
}

bool value_range(const char *text, uint64_t *ret_start, uint64_t *ret_end)
{
	const char *colon = strchr(text, ':');
	uint64_t start = 0, end = UINT64_MAX;
	char left[32];

	if (!colon || (size_t)(colon - text) >= sizeof(left))
		return false;
	memcpy(left, text, (size_t)(colon - text));
	left[colon - text] = '\0';
	if (left[0] && !value_size(left, &start))
		return false;
	if (colon[1] && !value_size(colon + 1, &end))
		return false;
	if (start >= end)
		return false;
	*ret_start = start;
	*ret_end = end;
	return true;
}

bool value_choice(const char *text, const char *choices, unsigned *ret_index)
{
	size_t len = strlen(text);

	for (unsigned i = 0;; i++) {
		size_t n = strcspn(choices, "|");

		if (n == len && strncmp(choices, text, n) == 0) {
			*ret_index = i;
			return true;
		}
		if (!choices[n])
			return false;
		choices += n + 1;
	}
}
