/*
 * Any bytes as a DNS answer, and what is read of it as a step of a walk and as a
 * delegation.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "delegation.h"
#include "astray/dns_message.h"
#include "referral.h"
#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_records(const struct dns_message *message)
{
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];

		assert(memchr(record->owner, '\0', sizeof(record->owner)));
		assert(memchr(record->data, '\0', sizeof(record->data)));
		assert(memchr(record->host, '\0', sizeof(record->host)));
	}
}

static void walk_on(const struct dns_message *message)
{
	struct zone_cut root = {.address_count = 1};
	struct address server;
	const char *host = NULL;
	struct walk walk;

	walk_begin(&walk, WALK_PARENT, "exchange.example", DNS_NS, &root, 0);
	for (int steps = 0; steps < 4 * WALK_QUESTIONS; steps++)
		switch (walk_next(&walk, &server, &host)) {
		case WALK_ASK:
			(void)walk_answered(&walk, 0, message);
			break;
		case WALK_FIND:
			walk_host_found(&walk, host, NULL, 0);
			break;
		case WALK_ENDS:
			return;
		}
	assert(!"a walk ends");
}

/* What reads whole begins with a head that says the same. */
static void read_head(const uint8_t *bytes, size_t len, const struct dns_message *message)
{
	struct dns_message_head head;
	int rc = dns_message_read_head(&head, bytes, len);

	assert(rc || memchr(head.question, '\0', sizeof(head.question)));
	if (rc || !message)
		return;
	assert(head.id == message->id && head.is_answer == message->is_answer);
	assert(head.question_type == message->question_type);
	assert(strcasecmp(head.question, message->question) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct dns_message *message = malloc(sizeof(*message));
	struct delegation *delegation = malloc(sizeof(*delegation));

	assert(message && delegation);
	if (dns_message_read(message, bytes, len)) {
		read_head(bytes, len, NULL);
	} else {
		read_head(bytes, len, message);
		assert(message->record_count <= DNS_MESSAGE_RECORDS);
		check_records(message);
		if (delegation_read(delegation, message, "exchange.example") == 0)
			assert(delegation->exists == (delegation->server_count > 0));
		(void)delegation_read_ds(delegation, message, "exchange.example");
		walk_on(message);
	}
	free(delegation);
	free(message);
	return 0;
}
