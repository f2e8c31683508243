#include "dns_client.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"

#define UDP_WAIT_MS 2000
#define TCP_WAIT_MS 5000
/* What passes every path unfragmented: the DNS flag day of 2020. */
#define PAYLOAD 1232
#define CLASS_IN 1
#define HEADER_LEN 12
#define FLAGS_HIGH 2 /* bytes of the header */
#define FLAGS_LOW 3
#define FLAG_TC 0x02
#define FLAG_AD 0x20
/* The message ends in the OPT record: its flags stand before its length. */
#define DO_FROM_END 4
#define FLAG_DO 0x80

struct watched_socket;

struct exchange {
	TAILQ_ENTRY(exchange) link;
	struct dns_client *client;
	struct dns_question question;
	dns_client_done_fn done;
	void *arg;
	uv_timer_t timer;
	ares_channel channel;
	struct watched_socket *socket;
	char asked[OBS_NAME]; /* in the case of this try */
	uint16_t id;
	unsigned tries_left;
	bool tcp, case_lost, ended;
	int rc;
	uint8_t *bytes;
	size_t len;
	struct moment at;
	struct tick sent;
};

TAILQ_HEAD(exchange_list, exchange);

struct dns_client {
	uv_loop_t *loop;
	uv_timer_t keeper; /* never started: the handle that is there when no other is */
	struct exchange_list active, waiting;
	unsigned active_count, waiting_count;
	unsigned handles; /* of libuv, that are still open */
	struct dns_message message;
	struct dns_client_counts counts;
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* A socket of c-ares that libuv watches. */
struct watched_socket {
	uv_poll_t poll;
	struct dns_client *client;
	struct exchange *exchange;
	ares_socket_t fd;
};

static void settle(struct exchange *exchange);

static void handle_gone(struct dns_client *client)
{
	if (--client->handles > 0)
		return;
	if (client->closed)
		client->closed(client->closed_arg);
	free(client);
}

static void keeper_closed(uv_handle_t *handle)
{
	handle_gone(handle->data);
}

static void poll_closed(uv_handle_t *handle)
{
	struct watched_socket *socket = handle->data;
	struct dns_client *client = socket->client;

	free(socket);
	handle_gone(client);
}

static void timer_closed(uv_handle_t *handle)
{
	struct exchange *exchange = handle->data;
	struct dns_client *client = exchange->client;

	free(exchange->bytes);
	free(exchange);
	handle_gone(client);
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	struct watched_socket *socket = poll->data;
	struct exchange *exchange = socket->exchange;
	bool readable = status < 0 || events & UV_READABLE;
	bool writable = status < 0 || events & UV_WRITABLE;

	ares_process_fd(exchange->channel, readable ? socket->fd : ARES_SOCKET_BAD,
		writable ? socket->fd : ARES_SOCKET_BAD);
	if (exchange->ended)
		settle(exchange);
}

static struct watched_socket *watch(struct exchange *exchange, ares_socket_t fd)
{
	struct watched_socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return NULL;
	*socket = (struct watched_socket){
		.client = exchange->client, .exchange = exchange, .fd = fd};
	socket->poll.data = socket;
	if (uv_poll_init(exchange->client->loop, &socket->poll, fd)) {
		free(socket);
		return NULL;
	}
	exchange->client->handles++;
	return socket;
}

/* A socket that cannot be watched stays silent, and its question runs out of time. */
static void socket_wanted(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct exchange *exchange = arg;

	if (!readable && !writable) {
		if (exchange->socket)
			uv_close((uv_handle_t *)&exchange->socket->poll, poll_closed);
		exchange->socket = NULL;
		return;
	}
	if (!exchange->socket)
		exchange->socket = watch(exchange, fd);
	if (exchange->socket)
		(void)uv_poll_start(&exchange->socket->poll,
			(readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
			socket_ready);
}

static int from_ares(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOMEM:
		return -ENOMEM;
	case ARES_ECONNREFUSED:
		return -ECONNREFUSED;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	case ARES_EBADNAME:
		return STATUS_SYNTAX;
	default:
		return STATUS_LIBRARY;
	}
}

static void answered(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct exchange *exchange = arg;

	(void)timeouts;
	if (exchange->ended) /* the channel's end tells it again */
		return;
	exchange->ended = true;
	exchange->rc = from_ares(status);
	if (exchange->rc || len < HEADER_LEN) {
		exchange->rc = exchange->rc ? exchange->rc : STATUS_SHORT;
		return;
	}
	exchange->bytes = malloc((size_t)len);
	if (!exchange->bytes) {
		exchange->rc = -ENOMEM;
		return;
	}
	memcpy(exchange->bytes, bytes, (size_t)len);
	exchange->len = (size_t)len;
}

static int open_channel(struct exchange *exchange)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC | ARES_FLAG_EDNS |
			 ARES_FLAG_NOALIASES | (exchange->tcp ? ARES_FLAG_USEVC : 0),
		/* Ours runs out first: exact, and without c-ares' own tries. */
		.timeout = 2 * TCP_WAIT_MS,
		.tries = 1,
		.ndots = 1,
		.ednspsz = PAYLOAD,
		.lookups = (char[]){"b"},
		.sock_state_cb = socket_wanted,
		.sock_state_cb_data = exchange,
	};
	/* All that would have it read resolv.conf otherwise. */
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		   ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
		   ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST;
	const struct dns_endpoint *server = &exchange->question.server;
	struct ares_addr_port_node node = {
		.family = server->address.family == 6 ? AF_INET6 : AF_INET,
		.udp_port = server->port,
		.tcp_port = server->port};
	int status = ares_init_options(&exchange->channel, &options, mask);

	if (status != ARES_SUCCESS) {
		exchange->channel = NULL;
		return from_ares(status);
	}
	memcpy(&node.addr, server->address.bytes, server->address.family == 6 ? 16 : 4);
	return from_ares(ares_set_servers_ports(exchange->channel, &node));
}

/* 0x20: a forger must guess the case of each letter, too. */
static void mix_case(char *name, const uint8_t random[static OBS_NAME / 8])
{
	for (size_t i = 0; name[i]; i++)
		if (name[i] >= 'a' && name[i] <= 'z' && random[i / 8] >> i % 8 & 1)
			name[i] = (char)(name[i] - 'a' + 'A');
}

static int write_question(struct exchange *exchange, unsigned char **bytes, int *len)
{
	const struct dns_question *question = &exchange->question;
	struct {
		uint16_t id;
		uint8_t letters[OBS_NAME / 8];
	} random;
	int status;

	/* Never short below 256 bytes once the pool is ready. */
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	exchange->id = random.id;
	memcpy(exchange->asked, question->name, sizeof(exchange->asked));
	if (!question->recursive)
		mix_case(exchange->asked, random.letters);
	status = ares_create_query(exchange->asked, CLASS_IN, question->type, random.id,
		question->recursive, bytes, len, PAYLOAD);
	if (status != ARES_SUCCESS)
		return from_ares(status);
	if (question->recursive)
		(*bytes)[FLAGS_LOW] |= FLAG_AD;
	if (question->dnssec)
		(*bytes)[*len - DO_FROM_END] |= FLAG_DO;
	return 0;
}

static int send_question(struct exchange *exchange)
{
	unsigned char *bytes = NULL;
	int len = 0, rc = open_channel(exchange);

	if (rc == 0)
		rc = write_question(exchange, &bytes, &len);
	if (rc)
		return rc;
	exchange->at = now_moment();
	exchange->sent = now_tick();
	ares_send(exchange->channel, bytes, len, answered, exchange);
	ares_free_string(bytes);
	return 0;
}

static void time_is_over(uv_timer_t *timer)
{
	struct exchange *exchange = timer->data;

	if (!exchange->ended) {
		exchange->ended = true;
		exchange->rc = -ETIMEDOUT;
	}
	settle(exchange);
}

static void close_channel(struct exchange *exchange)
{
	exchange->ended = true;
	if (exchange->channel)
		ares_destroy(exchange->channel);
	exchange->channel = NULL;
}

/* Also when it fails at once the end comes from the loop. */
static void try_now(struct exchange *exchange)
{
	int rc;

	free(exchange->bytes);
	exchange->bytes = NULL;
	exchange->ended = false;
	exchange->rc = 0;
	exchange->client->counts.asked++;
	exchange->client->counts.by_tcp += exchange->tcp;
	rc = send_question(exchange);
	if (rc) {
		exchange->ended = true;
		exchange->rc = rc;
	}
	/* Fails without a callback only. */
	(void)uv_timer_start(&exchange->timer, time_is_over,
		exchange->ended ? 0
		: exchange->tcp ? TCP_WAIT_MS
				: UDP_WAIT_MS,
		0);
}

static void start_waiting(struct dns_client *client)
{
	while (!client->closing && client->active_count < DNS_CLIENT_ACTIVE &&
		!TAILQ_EMPTY(&client->waiting)) {
		struct exchange *exchange = TAILQ_FIRST(&client->waiting);

		TAILQ_REMOVE(&client->waiting, exchange, link);
		client->waiting_count--;
		TAILQ_INSERT_TAIL(&client->active, exchange, link);
		client->active_count++;
		try_now(exchange);
	}
}

/* The exchange has left its list. Its memory goes with its timer, later. */
static void finish(struct exchange *exchange, int rc, struct tick now)
{
	struct dns_client *client = exchange->client;
	struct dns_reply reply = {.question = &exchange->question,
		.rc = rc,
		.message = rc ? NULL : &client->message,
		.at = exchange->at,
		.rtt_us = rc || exchange->tcp ? OBS_ABSENT
					      : tick_since_us(now, exchange->sent),
		.tcp = exchange->tcp,
		.case_lost = exchange->case_lost};

	close_channel(exchange);
	uv_close((uv_handle_t *)&exchange->timer, timer_closed);
	exchange->done(exchange->arg, &reply);
}

/* 0: the client's message is the answer. */
static int read_answer(struct exchange *exchange)
{
	struct dns_message *message = &exchange->client->message;
	int rc = dns_message_read(message, exchange->bytes, exchange->len);

	if (rc == 0 && (!message->is_answer || message->id != exchange->id ||
			       message->question_type != exchange->question.type ||
			       strcasecmp(message->question, exchange->asked) != 0))
		rc = STATUS_NOT_OURS;
	exchange->client->counts.malformed += rc != 0;
	return rc;
}

static bool must_go_by_tcp(struct exchange *exchange)
{
	if (exchange->rc || exchange->tcp)
		return false;
	if (exchange->bytes[FLAGS_HIGH] & FLAG_TC)
		return true;
	exchange->rc = read_answer(exchange);
	if (exchange->rc || exchange->question.recursive ||
		strcmp(exchange->client->message.question, exchange->asked) == 0)
		return false;
	exchange->case_lost = true;
	return true;
}

/* A try has ended. */
static void settle(struct exchange *exchange)
{
	struct dns_client *client = exchange->client;
	struct tick now = now_tick();

	(void)uv_timer_stop(&exchange->timer);
	close_channel(exchange);
	if (must_go_by_tcp(exchange)) {
		exchange->tcp = true;
		try_now(exchange);
		return;
	}
	if (exchange->rc == 0 && exchange->tcp)
		exchange->rc = read_answer(exchange);
	if (exchange->rc && !exchange->tcp && exchange->tries_left > 0) {
		exchange->tries_left--;
		client->counts.retried++;
		try_now(exchange);
		return;
	}
	TAILQ_REMOVE(&client->active, exchange, link);
	client->active_count--;
	finish(exchange, exchange->rc, now);
	start_waiting(client);
}

int dns_client_open(struct dns_client **out, struct uv_loop_s *loop)
{
	struct dns_client *client = calloc(1, sizeof(*client));

	*out = client;
	if (!client)
		return -ENOMEM;
	client->loop = loop;
	TAILQ_INIT(&client->active);
	TAILQ_INIT(&client->waiting);
	(void)uv_timer_init(loop, &client->keeper); /* never fails */
	client->keeper.data = client;
	client->handles = 1;
	return 0;
}

int dns_client_ask(struct dns_client *client, const struct dns_question *question,
	dns_client_done_fn done, void *arg)
{
	struct exchange *exchange;

	if (client->closing)
		return -ECANCELED;
	if (client->waiting_count == DNS_CLIENT_WAITING) {
		client->counts.refused++;
		return STATUS_LIMIT;
	}
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return -ENOMEM;
	*exchange = (struct exchange){.client = client,
		.question = *question,
		.done = done,
		.arg = arg,
		.tries_left = question->tries > 1 ? question->tries - 1 : 0,
		.tcp = question->tcp};
	(void)uv_timer_init(client->loop, &exchange->timer); /* never fails */
	exchange->timer.data = exchange;
	client->handles++;
	TAILQ_INSERT_TAIL(&client->waiting, exchange, link);
	client->waiting_count++;
	start_waiting(client);
	return 0;
}

struct dns_client_counts dns_client_count(const struct dns_client *client)
{
	return client->counts;
}

static void cancel_all(struct exchange_list *list)
{
	struct exchange *exchange;

	while ((exchange = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, exchange, link);
		finish(exchange, -ECANCELED, (struct tick){0});
	}
}

void dns_client_close(struct dns_client *client, void (*closed)(void *arg), void *arg)
{
	if (!client)
		return;
	client->closing = true;
	client->closed = closed;
	client->closed_arg = arg;
	cancel_all(&client->active);
	cancel_all(&client->waiting);
	uv_close((uv_handle_t *)&client->keeper, keeper_closed);
}

static unsigned take_servers(struct dns_endpoint out[static DNS_CLIENT_RESOLVERS],
	const struct ares_addr_port_node *node)
{
	unsigned count = 0;

	for (; node && count < DNS_CLIENT_RESOLVERS; node = node->next)
		out[count++] = (struct dns_endpoint){
			.address = node->family == AF_INET6
					   ? address_v6(&node->addr.addr6)
					   : address_v4(&node->addr.addr4),
			.port = (uint16_t)(node->udp_port ? node->udp_port
							  : DNS_ENDPOINT_PORT)};
	return count;
}

int dns_client_resolvers(struct dns_endpoint out[static DNS_CLIENT_RESOLVERS])
{
	struct ares_addr_port_node *list = NULL;
	ares_channel channel;
	int count = 0, status = ares_init(&channel);

	if (status != ARES_SUCCESS)
		return from_ares(status);
	status = ares_get_servers_ports(channel, &list);
	if (status == ARES_SUCCESS)
		count = (int)take_servers(out, list);
	ares_free_data(list);
	ares_destroy(channel);
	return status == ARES_SUCCESS ? count : from_ares(status);
}
