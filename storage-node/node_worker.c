/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "storage-node/spawner.h"

struct node_worker {
	struct node *node;
	struct node_worker *prev, *next;
	uint64_t query_id;
	const struct node_worker_events *events;
	void *arg;

	uv_pipe_t channel;
	struct frame_head head;
	size_t head_bytes; /* of the head that are there */
	uint8_t *payload;
	size_t payload_bytes; /* the same */

	pid_t pid;
	int pidfd;
	int status;
	struct nf_error err;
	uint64_t kill_ns; /* when its end was asked for; 0 never */
	bool channel_over, reaped, paused, distrusted;
};

static void on_channel_closed(uv_handle_t *handle)
{
	struct node_worker *w = handle->data;

	free(w->payload);
	free(w);
}

/* Both ends of it are there: tell, and forget it. */
static void end_if_over(struct node_worker *w)
{
	if (!w->channel_over || !w->reaped)
		return;
	*(w->prev ? &w->prev->next : &w->node->workers) = w->next;
	if (w->next)
		w->next->prev = w->prev;
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->kill_ns)
		log_debug("query %llu: worker %d gone after %llu us",
			  (unsigned long long)w->query_id, (int)w->pid,
			  (unsigned long long)((clock_now_ns() - w->kill_ns) / 1000));
	w->events->gone(w->arg, w->status, &w->err);
	uv_close((uv_handle_t *)&w->channel, on_channel_closed);
}

/* ---- the channel --------------------------------------------------------------------------- */

/* Read into the place where the bytes belong: first the head, then a payload of its length. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct node_worker *w = handle->data;

	(void)suggested;
	if (w->head_bytes < sizeof(w->head))
		*buf = uv_buf_init((char *)&w->head + w->head_bytes,
				   (unsigned)(sizeof(w->head) - w->head_bytes));
	else
		*buf = uv_buf_init((char *)w->payload + w->payload_bytes,
				   (unsigned)(w->head.bytes - w->payload_bytes));
}

static void distrust(struct node_worker *w, const char *why)
{
	log_warning("query %llu: worker %d sent %s; ending it", (unsigned long long)w->query_id,
		    (int)w->pid, why);
	w->distrusted = true;
	node_worker_kill(w);
}

static void on_head(struct node_worker *w)
{
	if (!w->head.bytes || w->head.bytes > FRAME_MAX_BYTES) {
		distrust(w, "a frame of an impossible length");
		return;
	}
	w->payload = malloc(w->head.bytes);
	w->payload_bytes = 0;
	if (!w->payload)
		distrust(w, "a frame that finds no memory");
}

static void on_payload(struct node_worker *w)
{
	uint8_t *payload = TAKE_PTR(w->payload);

	w->head_bytes = 0;
	if (!frame_check(w->head.type, payload, w->head.bytes)) {
		free(payload);
		distrust(w, "a malformed frame");
		return;
	}
	if (!w->events->frame(w->arg, w->head.type, payload, w->head.bytes))
		free(payload);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct node_worker *w = stream->data;

	(void)buf;
	if (n < 0) {
		uv_read_stop(stream);
		w->channel_over = true;
		end_if_over(w);
		return;
	}
	if (w->head_bytes < sizeof(w->head)) {
		w->head_bytes += (size_t)n;
		if (w->head_bytes == sizeof(w->head))
			on_head(w);
	} else {
		w->payload_bytes += (size_t)n;
		if (w->payload_bytes == w->head.bytes)
			on_payload(w);
	}
	/* What else it says is of no interest; the end of the process is. */
	if (w->distrusted) {
		uv_read_stop(stream);
		w->channel_over = true;
		end_if_over(w);
	}
}

void node_worker_pause(struct node_worker *w, bool pause)
{
	if (w->channel_over || w->paused == pause)
		return;
	w->paused = pause;
	if (pause)
		uv_read_stop((uv_stream_t *)&w->channel);
	else
		uv_read_start((uv_stream_t *)&w->channel, on_alloc, on_read);
}

/* ---- the process --------------------------------------------------------------------------- */

pid_t node_worker_pid(const struct node_worker *w)
{
	return w->pid;
}

void node_worker_kill(struct node_worker *w)
{
	if (!w->kill_ns)
		w->kill_ns = clock_now_ns();
	if (w->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0);
	/* A worker that is dead says no more, even while nobody reads. */
	node_worker_pause(w, false);
}

int node_worker_start(struct node *node, uint64_t query_id, const struct source *src, int job,
		      const struct node_worker_events *events, void *arg, struct node_worker **ret,
		      struct nf_error *err)
{
	struct node_worker *w = calloc(1, sizeof(*w));
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int pair[2], r;

	if (!w || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		r = nf_error_sys(err, NF_UNAVAILABLE, w ? errno : ENOMEM, NULL,
				 "cannot start a worker");
		free(w);
		return r;
	}
	ours = pair[0];
	theirs = pair[1];
	/* Ours must not block; nor may the files, which wait in the socket for their reader. */
	fcntl(ours, F_SETFL, O_NONBLOCK);
	r = job_send_files(ours, src);
	if (r)
		nf_error_sys(err, NF_UNAVAILABLE, -r, src->spec.name,
			     "cannot hand %u files to a worker", src->n_files);
	if (!r)
		r = spawner_ask(node->spawner_sock, query_id, theirs, job, err);
	if (r) {
		free(w);
		return r;
	}
	w->node = node;
	w->query_id = query_id;
	w->events = events;
	w->arg = arg;
	w->pidfd = -1;
	w->status = -1;
	w->channel.data = w;
	uv_pipe_init(&node->loop, &w->channel, 0);
	uv_pipe_open(&w->channel, TAKE_FD(ours));
	uv_read_start((uv_stream_t *)&w->channel, on_alloc, on_read);
	w->next = node->workers;
	if (w->next)
		w->next->prev = w;
	node->workers = w;
	*ret = w;
	return 0;
}

/* ---- the spawner --------------------------------------------------------------------------- */

static void take_report(struct node *node, const struct spawn_report *report, int pidfd)
{
	struct node_worker *w = node->workers;

	if (report->what == SPAWN_SPARES) {
		node->spare_workers = report->spares;
		return;
	}
	while (w && w->query_id != report->query_id)
		w = w->next;
	if (!w) {
		if (pidfd >= 0)
			close(pidfd);
		return;
	}
	switch (report->what) {
	case SPAWN_STARTED:
		w->pid = report->pid;
		w->pidfd = pidfd;
		if (w->kill_ns)
			node_worker_kill(w);
		break;
	case SPAWN_FAILED:
		nf_error_sys(&w->err, NF_UNAVAILABLE, report->errnum, NULL,
			     "cannot start a worker");
		w->reaped = true;
		end_if_over(w);
		break;
	case SPAWN_EXITED:
		w->status = report->status;
		w->reaped = true;
		end_if_over(w);
		break;
	case SPAWN_SPARES:
		break;
	}
}

static void spawner_gone(struct node *node)
{
	log_error("the spawner (pid %d) is gone; no query can run any more, so this daemon ends",
		  (int)node->spawner_pid);
	uv_poll_stop(&node->spawner_poll);
	close(node->spawner_sock);
	node->spawner_sock = -1;
	/* The kernel kills the workers with it (PR_SET_PDEATHSIG), and nobody is left to say how.
	 */
	for (struct node_worker *w = node->workers, *next; w; w = next) {
		next = w->next;
		nf_error_set(&w->err, NF_UNAVAILABLE, NULL, "the node is restarting; try again");
		w->reaped = true;
		end_if_over(w);
	}
	node->exit_status = EXIT_FAILURE;
	node_drain(node, 1);
}

static void on_spawner(uv_poll_t *poll, int status, int events)
{
	struct node *node = poll->data;
	struct spawn_report report;
	int pidfd, r = -ECONNRESET;

	(void)events;
	if (!status)
		while ((r = spawner_report(node->spawner_sock, &report, &pidfd)) > 0)
			take_report(node, &report, pidfd);
	if (r < 0)
		spawner_gone(node);
}

int node_workers_init(struct node *node, struct nf_error *err)
{
	int r = uv_poll_init(&node->loop, &node->spawner_poll, node->spawner_sock);

	node->spawner_poll.data = node;
	if (!r)
		r = uv_poll_start(&node->spawner_poll, UV_READABLE, on_spawner);
	if (r)
		return nf_error_sys(err, NF_INTERNAL, -r, "spawner", "cannot watch it");
	return 0;
}

void node_workers_done(struct node *node)
{
	uv_close((uv_handle_t *)&node->spawner_poll, NULL);
	if (node->spawner_sock >= 0)
		close(node->spawner_sock);
	node->spawner_sock = -1;
}
