/* Any bytes as a datagram of the kernel: reading ends, inside what was given, and every
 * interface has a number and a name. */
#include <assert.h>
#include <string.h>
#include <stdint.h>

#include "link_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void look(void *arg, const struct link_message *message)
{
	(void)arg;
	assert(message->number > 0);
	assert(message->name[0] && memchr(message->name, 0, LINK_MESSAGE_NAME));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	(void)link_message_read(bytes, len, look, NULL);
	return 0;
}
