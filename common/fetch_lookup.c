#include "fetch_lookup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

struct fetch_lookup {
	uv_getaddrinfo_t request;
	fetch_lookup_fn done; /* NULL: cancelled */
	void *arg;
};

/* Connecting a datagram socket asks the routing table, and sends nothing. */
static bool has_route(const struct address *address)
{
	struct sockaddr_storage storage;
	unsigned len = address_to_sockaddr(address, 443, &storage);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool routed;

	if (fd < 0)
		return errno != EAFNOSUPPORT;
	routed = connect(fd, (const struct sockaddr *)&storage, len) == 0;
	(void)close(fd);
	return routed;
}

static int compare(const void *a, const void *b)
{
	return address_compare(a, b);
}

static unsigned collect(
	struct address list[static FETCH_LOOKUP_MAX], const struct addrinfo *info)
{
	unsigned count = 0, routed = 0;

	for (; info && count < FETCH_LOOKUP_MAX; info = info->ai_next)
		if (address_from_sockaddr(&list[count], NULL, info->ai_addr) == 0)
			count++;
	qsort(list, count, sizeof(list[0]), compare);
	for (unsigned i = 0; i < count; i++)
		if (has_route(&list[i])) {
			struct address kept = list[routed];

			list[routed++] = list[i];
			list[i] = kept;
		}
	return routed ? routed : count;
}

static void name_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *info)
{
	struct fetch_lookup *lookup = request->data;
	struct address list[FETCH_LOOKUP_MAX];
	unsigned count;

	if (lookup->done) {
		count = status == 0 ? collect(list, info) : 0;
		if (status == 0 && count == 0)
			status = UV_EAI_NONAME;
		lookup->done(lookup->arg, status, list, count);
	}
	uv_freeaddrinfo(info);
	free(lookup);
}

int fetch_lookup_start(struct fetch_lookup **out, struct uv_loop_s *loop,
	const char *host, fetch_lookup_fn done, void *arg)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct fetch_lookup *lookup = calloc(1, sizeof(*lookup));
	int rc;

	*out = NULL;
	if (!lookup)
		return -ENOMEM;
	lookup->request.data = lookup;
	lookup->done = done;
	lookup->arg = arg;
	rc = uv_getaddrinfo(loop, &lookup->request, name_resolved, host, NULL, &hints);
	if (rc) {
		free(lookup);
		return rc;
	}
	*out = lookup;
	return 0;
}

void fetch_lookup_cancel(struct fetch_lookup *lookup)
{
	if (!lookup)
		return;
	lookup->done = NULL;
	(void)uv_cancel(
		(uv_req_t *)&lookup->request); /* fails when a thread has it already */
}
