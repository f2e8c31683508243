/*
 * Where models and detectors keep what they know: one zeroed block for each service and
 * one for each (service, site) that has spoken, of sizes fixed at the start. Blocks hold
 * no pointers. Bounded: a (service, site) beyond the limit gets none, and is counted.
 */
#ifndef ASTRAY_CELLS_H
#define ASTRAY_CELLS_H

#include <stddef.h>
#include <stdint.h>

struct cells;

int cells_new(struct cells **out, unsigned services, unsigned sites, size_t service_size,
	size_t cell_size, unsigned limit);
void cells_free(struct cells *cells);

void *cells_of_service(const struct cells *cells, unsigned service);
/* NULL when that pair has never spoken. */
void *cells_find(const struct cells *cells, unsigned service, unsigned site);
/* Makes it when it is not there; NULL when there is no room. */
void *cells_take(struct cells *cells, unsigned service, unsigned site);

unsigned cells_services(const struct cells *cells);
unsigned cells_count(const struct cells *cells);
uint64_t cells_refused(const struct cells *cells);

#endif
