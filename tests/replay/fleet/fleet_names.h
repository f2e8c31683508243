/*
 * What DNS servers and the registry answer: the delegation, the authorities, each
 * vantage's resolver. Servers listed in another order, pools that turn over, a server
 * that fails at times, a move that was announced.
 */
#ifndef FLEET_NAMES_H
#define FLEET_NAMES_H

#include "fleet_path.h"

bool fleet_names_has_moved(const struct fleet_world *world, unsigned zone, int64_t at_us);
/* The announced move's span: true once, in the slot that announces it. */
bool fleet_names_announces(const struct fleet_world *world, unsigned *zone,
	int64_t *from_us, int64_t *until_us, int64_t at_us);

void fleet_names_delegation(struct obs *obs, const struct fleet_world *world,
	const struct fleet_probe *probe, unsigned zone, const struct fleet_effect *effect,
	int64_t at_us);
void fleet_names_mail(struct obs *obs, const struct fleet_world *world,
	const struct fleet_probe *probe, unsigned zone, const struct fleet_effect *effect,
	int64_t at_us);
void fleet_names_registry(struct obs *obs, const struct fleet_world *world, unsigned zone,
	const struct fleet_effect *effect, int64_t at_us);
/* The addresses of a service, as this vantage's resolver or an authority says. */
void fleet_names_addresses(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service, enum obs_dns_role role,
	const struct fleet_effect *effect, int64_t at_us);

#endif
