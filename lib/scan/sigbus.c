/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct guard {
	atomic_bool used; /* under the lock but for the handler, which reads base and end only */
	atomic_uintptr_t base, end; /* end 0: not in force */
	atomic_bool hit;
} guards[SIGBUS_MAX_GUARDS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static uintptr_t page_mask;

static struct guard *guard_of(uintptr_t address)
{
	for (size_t i = 0; i < SIGBUS_MAX_GUARDS; i++)
		if (address < atomic_load(&guards[i].end) &&
		    address >= atomic_load(&guards[i].base))
			return &guards[i];
	return NULL;
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	uintptr_t address = (uintptr_t)info->si_addr;
	/* A signal that somebody sent has no address. */
	struct guard *g = info->si_code > 0 ? guard_of(address) : NULL;

	if (g) {
		void *page = (void *)(address & ~page_mask);

		atomic_store(&g->hit, true);
		/* The bare system call: no library, and no sanitizer's hook, inside a handler. */
		if (syscall(SYS_mmap, page, page_mask + 1, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) >= 0) {
			errno = saved;
			return;
		}
	}
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
	} else {
		/* Back to the default, which the same load meets again. */
		struct sigaction dfl = {.sa_handler = SIG_DFL};

		sigaction(SIGBUS, &dfl, NULL);
		if (info->si_code <= 0)
			raise(sig);
	}
	errno = saved;
}

/* Under the lock. Again, if somebody put another handler in our place meanwhile. */
static int install(void)
{
	struct sigaction now, ours = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGBUS, NULL, &now))
		return -errno;
	if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_sigbus)
		return 0;
	page_mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	before = now;
	sigemptyset(&ours.sa_mask);
	return sigaction(SIGBUS, &ours, NULL) ? -errno : 0;
}

int sigbus_guard(const uint8_t *base, size_t bytes)
{
	int ret = -ENOSPC;

	pthread_mutex_lock(&lock);
	int e = install();
	for (int i = 0; !e && i < SIGBUS_MAX_GUARDS; i++) {
		struct guard *g = &guards[i];

		if (atomic_load(&g->used))
			continue;
		atomic_store(&g->used, true);
		atomic_store(&g->hit, false);
		atomic_store(&g->base, (uintptr_t)base);
		atomic_store(&g->end, (uintptr_t)base + bytes);
		ret = i;
		break;
	}
	pthread_mutex_unlock(&lock);
	return e ? e : ret;
}

bool sigbus_hit(int guard)
{
	return atomic_load(&guards[guard].hit);
}

void sigbus_unguard(int guard)
{
	pthread_mutex_lock(&lock);
	atomic_store(&guards[guard].end, 0);
	atomic_store(&guards[guard].used, false);
	pthread_mutex_unlock(&lock);
}
