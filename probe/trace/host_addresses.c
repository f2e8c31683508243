#include "host_addresses.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#define THREADS 4 /* no more questions than these are put at once */

struct question {
	struct question *next;
	host_addresses_fn done;
	void *arg;
	int family;
	int rc;
	unsigned count;
	struct address addresses[HOST_ADDRESSES_MAX];
	char host[];
};

struct queue {
	struct question *first, **end;
};

/* The loop's side and the threads hold it together: who goes last frees it. */
struct host_addresses {
	pthread_mutex_t lock;
	/* With the lock: */
	struct queue asked, answered;
	unsigned holders;
	unsigned threads; /* at work */
	bool closing;     /* set by the loop, which may read it without */
	uv_async_t news;
	unsigned awaited; /* questions that the loop is kept for */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void make_empty(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void append(struct queue *queue, struct question *question)
{
	question->next = NULL;
	*queue->end = question;
	queue->end = &question->next;
}

static struct question *take(struct queue *queue)
{
	struct question *question = queue->first;

	if (!question)
		return NULL;
	queue->first = question->next;
	if (!queue->first)
		queue->end = &queue->first;
	return question;
}

static void free_all(struct queue *queue)
{
	for (struct question *question; (question = take(queue));)
		free(question);
}

static void let_go(struct host_addresses *hosts)
{
	bool last;

	(void)pthread_mutex_lock(&hosts->lock);
	last = --hosts->holders == 0;
	(void)pthread_mutex_unlock(&hosts->lock);
	if (!last)
		return;
	(void)pthread_mutex_destroy(&hosts->lock);
	free(hosts);
}

static int status_of(int gai)
{
	switch (gai) {
	case EAI_AGAIN:
		return UV_EAI_AGAIN;
	case EAI_FAIL:
		return UV_EAI_FAIL;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return errno ? -errno : UV_EAI_FAIL;
	default:
		return UV_EAI_NONAME;
	}
}

static void resolve(struct question *question)
{
	struct addrinfo hints = {
		.ai_family = question->family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int gai = getaddrinfo(question->host, NULL, &hints, &list);

	for (struct addrinfo *at = list; at && question->count < HOST_ADDRESSES_MAX;
		at = at->ai_next)
		if (address_from_sockaddr(&question->addresses[question->count], NULL,
			    at->ai_addr) == 0)
			question->count++;
	if (gai == 0)
		freeaddrinfo(list);
	question->rc = gai ? status_of(gai) : question->count ? 0 : UV_EAI_NONAME;
}

/* Signals are the loop's. Once nobody wants answers the loop is not told: it may be gone.
 */
static void *work(void *arg)
{
	struct host_addresses *hosts = arg;
	struct question *question;
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, NULL);
	(void)pthread_mutex_lock(&hosts->lock);
	while ((question = take(&hosts->asked))) {
		(void)pthread_mutex_unlock(&hosts->lock);
		resolve(question);
		(void)pthread_mutex_lock(&hosts->lock);
		if (hosts->closing) {
			free(question);
			continue;
		}
		append(&hosts->answered, question);
		(void)uv_async_send(&hosts->news);
	}
	hosts->threads--;
	(void)pthread_mutex_unlock(&hosts->lock);
	let_go(hosts);
	return NULL;
}

/* With the lock. */
static int add_thread(struct host_addresses *hosts)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, work, hosts);

	if (rc)
		return -rc;
	(void)pthread_detach(thread);
	hosts->threads++;
	hosts->holders++;
	return 0;
}

static void answers_came(uv_async_t *news)
{
	struct host_addresses *hosts = news->data;
	struct question *question;

	while (!hosts->closing) {
		(void)pthread_mutex_lock(&hosts->lock);
		question = take(&hosts->answered);
		(void)pthread_mutex_unlock(&hosts->lock);
		if (!question)
			return;
		if (--hosts->awaited == 0)
			uv_unref((uv_handle_t *)news);
		question->done(question->arg, question->rc, question->addresses,
			question->count);
		free(question);
	}
}

int host_addresses_open(struct host_addresses **out, struct uv_loop_s *loop)
{
	struct host_addresses *hosts = calloc(1, sizeof(*hosts));
	int rc;

	*out = NULL;
	if (!hosts)
		return -ENOMEM;
	rc = uv_async_init(loop, &hosts->news, answers_came);
	if (rc) {
		free(hosts);
		return rc;
	}
	uv_unref((uv_handle_t *)&hosts->news);
	(void)pthread_mutex_init(&hosts->lock, NULL);
	make_empty(&hosts->asked);
	make_empty(&hosts->answered);
	hosts->news.data = hosts;
	hosts->holders = 1;
	*out = hosts;
	return 0;
}

static void news_closed(uv_handle_t *handle)
{
	struct host_addresses *hosts = handle->data;

	if (hosts->closed)
		hosts->closed(hosts->closed_arg);
	let_go(hosts);
}

void host_addresses_close(
	struct host_addresses *hosts, void (*closed)(void *arg), void *arg)
{
	if (!hosts)
		return;
	hosts->closed = closed;
	hosts->closed_arg = arg;
	(void)pthread_mutex_lock(&hosts->lock);
	hosts->closing = true;
	free_all(&hosts->asked);
	free_all(&hosts->answered);
	(void)pthread_mutex_unlock(&hosts->lock);
	uv_close((uv_handle_t *)&hosts->news, news_closed);
}

static int family_hint(uint8_t family)
{
	if (family == 0)
		return AF_UNSPEC;
	return family == 6 ? AF_INET6 : AF_INET;
}

int host_addresses_find(struct host_addresses *hosts, const char *host, uint8_t family,
	host_addresses_fn done, void *arg)
{
	size_t len = strlen(host) + 1;
	struct question *question = calloc(1, sizeof(*question) + len);
	int rc = 0;

	if (!question)
		return -ENOMEM;
	question->done = done;
	question->arg = arg;
	question->family = family_hint(family);
	memcpy(question->host, host, len);
	(void)pthread_mutex_lock(&hosts->lock);
	if (hosts->threads < THREADS)
		rc = add_thread(hosts);
	if (hosts->threads > 0) /* one that there is serves, too */
		rc = 0;
	if (rc == 0)
		append(&hosts->asked, question);
	(void)pthread_mutex_unlock(&hosts->lock);
	if (rc) {
		free(question);
		return rc;
	}
	if (hosts->awaited++ == 0)
		uv_ref((uv_handle_t *)&hosts->news);
	return 0;
}
