/* Any bytes as a datagram of the kernel: reading ends, inside what was given; a lost
 * route is worth a look. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "route_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct route_message_news news = {0};

	route_message_read(&news, bytes, len);
	assert(news.worth_a_look || !news.route_lost);
	return 0;
}
