#include "name_lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"

#define ROUND_MS 60000

struct name_lookup {
	uv_loop_t *loop;
	const struct log *log;
	const struct services *services;
	struct address_book *book;
	void (*changed)(void *arg);
	void *arg;
	unsigned service, host; /* that is looked up now, or next */
	bool news;              /* in this round */
	bool asking;
	uv_getaddrinfo_t question;
	uv_timer_t timer;
	bool ends;
	void (*closed)(void *arg);
	void *closed_arg;
};

static void ask_next(struct name_lookup *lookup);

static void timer_closed(uv_handle_t *handle)
{
	struct name_lookup *lookup = handle->data;

	lookup->closed(lookup->closed_arg);
	free(lookup);
}

static void learn(struct name_lookup *lookup, const struct addrinfo *answers)
{
	struct moment now = now_moment();

	for (const struct addrinfo *answer = answers; answer; answer = answer->ai_next) {
		struct address address;

		if (address_from_sockaddr(&address, NULL, answer->ai_addr) == 0 &&
			address_book_learn(lookup->book, lookup->service, &address, now))
			lookup->news = true;
	}
}

static void answered(uv_getaddrinfo_t *question, int status, struct addrinfo *answers)
{
	struct name_lookup *lookup = question->data;

	lookup->asking = false;
	if (lookup->ends) {
		uv_freeaddrinfo(answers);
		uv_close((uv_handle_t *)&lookup->timer, timer_closed);
		return;
	}
	if (status)
		log_debug(lookup->log, "flow", "%s: %s",
			lookup->services->list[lookup->service].hosts[lookup->host],
			status_text(status));
	else
		learn(lookup, answers);
	uv_freeaddrinfo(answers);
	lookup->host++;
	ask_next(lookup);
}

static void end_round(struct name_lookup *lookup)
{
	if (address_book_forget(lookup->book, now_moment()))
		lookup->news = true;
	if (lookup->news && lookup->changed)
		lookup->changed(lookup->arg);
}

/* Moves on to the next host that can be looked up; false at the end of a round. */
static bool find_next(struct name_lookup *lookup)
{
	for (; lookup->service < lookup->services->count;
		lookup->service++, lookup->host = 0) {
		const struct service *service = &lookup->services->list[lookup->service];

		for (; lookup->host < service->host_count; lookup->host++)
			if (service->hosts[lookup->host][0] != '*')
				return true;
	}
	return false;
}

static void ask_next(struct name_lookup *lookup)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	while (find_next(lookup)) {
		const char *host =
			lookup->services->list[lookup->service].hosts[lookup->host];

		if (uv_getaddrinfo(lookup->loop, &lookup->question, answered, host, NULL,
			    &hints) == 0) {
			lookup->asking = true;
			return;
		}
		lookup->host++;
	}
	end_round(lookup);
}

static void minute_passed(uv_timer_t *timer)
{
	struct name_lookup *lookup = timer->data;

	if (lookup->asking)
		return;
	lookup->service = lookup->host = 0;
	lookup->news = false;
	ask_next(lookup);
}

int name_lookup_open(struct name_lookup **out, struct uv_loop_s *loop,
	const struct log *log, const struct services *services, struct address_book *book,
	void (*changed)(void *arg), void *arg)
{
	struct name_lookup *lookup = calloc(1, sizeof(*lookup));

	*out = lookup;
	if (!lookup)
		return -ENOMEM;
	lookup->loop = loop;
	lookup->log = log;
	lookup->services = services;
	lookup->book = book;
	lookup->changed = changed;
	lookup->arg = arg;
	(void)uv_timer_init(loop, &lookup->timer);
	lookup->timer.data = lookup->question.data = lookup;
	(void)uv_timer_start(&lookup->timer, minute_passed, 0, ROUND_MS);
	return 0;
}

void name_lookup_close(struct name_lookup *lookup, void (*closed)(void *arg), void *arg)
{
	lookup->closed = closed;
	lookup->closed_arg = arg;
	lookup->ends = true;
	(void)uv_timer_stop(&lookup->timer);
	/* A question under way cannot always be taken back: its answer ends it all. */
	if (lookup->asking)
		(void)uv_cancel((uv_req_t *)&lookup->question);
	else
		uv_close((uv_handle_t *)&lookup->timer, timer_closed);
}
