/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* jit_path.h - the JIT module of the build that this test belongs to. */
#ifndef NF_TESTS_JIT_PATH_H
#define NF_TESTS_JIT_PATH_H

/* build/<variant>/nearfold-jit.so, from build/<variant>/tests/...; it need not be there. */
const char *jit_path(void);

#endif
