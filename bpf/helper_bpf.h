/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * helper_bpf.h - what the kernel forms of the helpers share (f64.bpf.c, helpers.bpf.c).
 *
 * Each is a function named as in vm_helpers[], which does what that row's `fn` does, bit for bit,
 * in 64-bit integers. In the kernel it is a "global" function: verified once, for any arguments.
 * Pointers are addresses in the arena and are cast when they are used, behind the last addition
 * (see scan.bpf.c). The files also compile natively, where tests compare them with vm_helpers[].
 *
 * The kernel's verifier follows every way through a function, so that branches are few: what can be
 * a mask is a mask. HIDE() keeps the compiler from seeing the comparison in it.
 */
#ifndef NF_HELPER_BPF_H
#define NF_HELPER_BPF_H

#include <stdint.h>

#include "scan_abi.h"

typedef uint64_t u64;
typedef int64_t s64;
typedef uint32_t u32;
typedef uint8_t u8;

#define INLINE  static inline __attribute__((always_inline))
#define HIDE(x) __asm__ volatile("" : "+r"(x))
#define HELPER(f, ...)      \
	u64 f(__VA_ARGS__); \
	__attribute__((section("helper"), used)) u64 f(__VA_ARGS__)

#ifdef __bpf__
#define ADDRESS(type, address)                                                 \
	({                                                                     \
		u64 a_ = (address);                                            \
		asm volatile("%0 = addr_space_cast(%0, 0x0, 0x1)" : "+r"(a_)); \
		(type *)a_;                                                    \
	})
#define LOAD64(address)     (*ADDRESS(const u64, address))
#define STORE64(address, v) (*ADDRESS(u64, address) = (v))
/* A zero that the kernel's verifier does not know: v is an argument. */
#define UNKNOWN_ZERO(v)                                               \
	({                                                            \
		u64 z_ = (v);                                         \
		asm volatile("%0 ^= %1" : "+&r"(z_) : "r"((u64)(v))); \
		z_;                                                   \
	})
#define FORGET(number, zero) asm volatile("%0 ^= %1" : "+r"(number) : "r"(zero))
/* False when the kernel wants the program to end. */
#define CAN_LOOP                                                        \
	({                                                              \
		__label__ l_break, l_continue;                          \
		int go_on_ = 1;                                         \
		asm volatile goto("may_goto %l[l_break]" :: ::l_break); \
		goto l_continue;                                        \
	l_break:                                                        \
		go_on_ = 0;                                             \
	l_continue:;                                                    \
		go_on_;                                                 \
	})
/* The kernel's bpf_get_prandom_u32(), for what an attacker shall not foresee. No result depends on
 * it.
 */
#define RANDOM() (((u32(*)(void))7)())
#else
#define ADDRESS(type, address) ((type *)(uintptr_t)(address))
#define LOAD64(address)                                                                \
	({                                                                             \
		u64 v_;                                                                \
		__builtin_memcpy(&v_, (const void *)(uintptr_t)(address), sizeof(v_)); \
		v_;                                                                    \
	})
#define STORE64(address, v)                                                      \
	({                                                                       \
		u64 v_ = (v);                                                    \
		__builtin_memcpy((void *)(uintptr_t)(address), &v_, sizeof(v_)); \
	})
#define UNKNOWN_ZERO(v)      ((void)(v), 0)
#define FORGET(number, zero) ((void)(zero))
#define CAN_LOOP             1
#define RANDOM()             0x9e3779b9u
#endif

/* 1 if x is not 0. */
INLINE u64 nonzero(u64 x)
{
	u64 negative = -x;

	HIDE(negative);
	return (x | negative) >> 63;
}

/* 1 if a < b; both below 2^63. */
INLINE u64 below(u64 a, u64 b)
{
	return (a - b) >> 63;
}

struct wide {
	u64 lo, hi;
};

/* a * b, all of it. */
INLINE struct wide multiply(u64 a, u64 b)
{
	u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32;
	u64 low = al * bl, mid1 = al * bh, mid2 = ah * bl;
	u64 mid = (low >> 32) + (u32)mid1 + (u32)mid2;

	return (struct wide){
		.lo = mid << 32 | (u32)low,
		.hi = ah * bh + (mid1 >> 32) + (mid2 >> 32) + (mid >> 32),
	};
}

#endif
