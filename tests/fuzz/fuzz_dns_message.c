/*
 * Any bytes as a DNS answer, and what is read of it as a step of a walk and as a
 * delegation.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delegation.h"
#include "dns_message.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct dns_message *message = malloc(sizeof(*message));
	struct delegation *delegation = malloc(sizeof(*delegation));

	assert(message && delegation);
	if (dns_message_read(message, bytes, len) == 0) {
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
