/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * output.h - rows and columns as a table for people, JSON or CSV. What the rows are is the
 * caller's; cells are asked for as text, one at a time (the table asks twice: it measures first).
 */
#ifndef NF_CLIENT_OUTPUT_H
#define NF_CLIENT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "compute-client/json_write.h"
#include "compute-client/nearfold.h"

enum output_kind {
	OUTPUT_TEXT,
	OUTPUT_INTEGER, /* decimal, any length */
	OUTPUT_DECIMAL, /* "12.500000" */
	OUTPUT_FLOAT,   /* "0.1", "1e+20"; what is not finite as its words: "nan", "Infinity" */
	OUTPUT_BOOL,    /* "true", "false" */
};

/* What a cell function returns for a null: an empty field in CSV, the word "null" elsewhere. */
#define OUTPUT_NULL SIZE_MAX

struct output_column {
	const char *name, *type;
	enum output_kind kind;
};

struct output_rows {
	const struct output_column *columns;
	unsigned n_columns;
	uint64_t n_rows;
	/* Writes the cell's text, ended by NUL, at most size bytes; returns the length it needs, or
	 * OUTPUT_NULL. */
	size_t (*cell)(const void *arg, uint64_t row, unsigned column, char *buf, size_t size);
	const void *arg;
	/* JSON: writes the members of "stats"; NULL: there are none. */
	void (*stats)(const void *arg, struct json *j);
	/* CSV: an empty text is "" in quotes, so that it is no null. */
	bool quote_empty;
};

/* 0, -ENOMEM, or -EIO when the stream had an error. Numbers look the same in every locale. */
int output_write(const struct output_rows *rows, enum nearfold_output form, FILE *out);

/* The three forms; called by output_write(). */
int output_table(const struct output_rows *rows, FILE *out);
int output_json(const struct output_rows *rows, FILE *out);
int output_csv(const struct output_rows *rows, FILE *out);

/* A cell's text in memory that grows: free(cell->text) at the end. NULL: no memory. */
struct output_cell {
	char *text;
	size_t size;
	bool null; /* the text is "null" then */
};
const char *output_cell_get(struct output_cell *cell, const struct output_rows *rows, uint64_t row,
			    unsigned column);

#endif
