#include "host_addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

struct question {
	uv_getaddrinfo_t request;
	host_addresses_fn done;
	void *arg;
};

static unsigned collect(
	struct address addresses[static HOST_ADDRESSES_MAX], const struct addrinfo *list)
{
	unsigned count = 0;

	for (; list && count < HOST_ADDRESSES_MAX; list = list->ai_next)
		if (address_from_sockaddr(&addresses[count], NULL, list->ai_addr) == 0)
			count++;
	return count;
}

static void host_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct question *question = request->data;
	struct address addresses[HOST_ADDRESSES_MAX];
	unsigned count = status == 0 ? collect(addresses, list) : 0;

	if (status == 0 && count == 0)
		status = UV_EAI_NONAME;
	question->done(question->arg, status, addresses, count);
	uv_freeaddrinfo(list);
	free(question);
}

static int family_hint(uint8_t family)
{
	if (family == 0)
		return AF_UNSPEC;
	return family == 6 ? AF_INET6 : AF_INET;
}

int host_addresses_find(struct uv_loop_s *loop, const char *host, uint8_t family,
	host_addresses_fn done, void *arg)
{
	struct addrinfo hints = {
		.ai_family = family_hint(family), .ai_socktype = SOCK_STREAM};
	struct question *question = calloc(1, sizeof(*question));
	int rc;

	if (!question)
		return -ENOMEM;
	question->request.data = question;
	question->done = done;
	question->arg = arg;
	rc = uv_getaddrinfo(loop, &question->request, host_resolved, host, NULL, &hints);
	if (rc)
		free(question);
	return rc;
}
