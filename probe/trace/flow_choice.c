#include "flow_choice.h"

#include <errno.h>
#include <sys/random.h>

#include "flight.h"
#include "path.h"
#include "trace_socket.h"

#define ICMP_CHECKSUM_FIRST 33434 /* of flow 0: ICMP's flows differ in their checksum */

int flow_choice_make(struct probe_flow *flow, uint16_t *first_id, unsigned *largest,
	const struct trace_order *order, uint16_t identifier)
{
	struct path_plan plan = {.max_ttl = order->max_ttl,
		.queries = order->queries,
		.spare_ids = FLIGHT_SPARE_IDS};
	uint16_t secrets[2];

	if (getrandom(secrets, sizeof(secrets), 0) < 0)
		return -errno;
	*first_id = (uint16_t)(1 + secrets[0] %
					   (order->all_paths ? fan_first_id_max()
							     : path_first_id_max(&plan)));
	*flow = (struct probe_flow){.to = order->peer,
		.protocol = order->protocol,
		.from_port = (uint16_t)(FLOW_CHOICE_PORT_FIRST + order->flow),
		.to_port = order->port};
	if (order->protocol != OBS_ICMP)
		flow->cookie = secrets[1];
	if (order->protocol == OBS_ICMP) {
		flow->from_port = identifier;
		flow->to_port = (uint16_t)(ICMP_CHECKSUM_FIRST + order->flow);
	}
	return trace_socket_source(&flow->from, largest, &order->peer);
}
