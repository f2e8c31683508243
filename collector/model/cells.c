#include "cells.h"

#include <errno.h>
#include <stdlib.h>

struct cells {
	unsigned services, sites, count, limit;
	uint64_t refused;
	size_t service_size, cell_size;
	unsigned char *of_service;
	void **table; /* services × sites */
};

int cells_new(struct cells **out, unsigned services, unsigned sites, size_t service_size,
	size_t cell_size, unsigned limit)
{
	struct cells *cells = calloc(1, sizeof(*cells));

	*out = NULL;
	if (!cells)
		return -ENOMEM;
	cells->services = services;
	cells->sites = sites;
	cells->limit = limit;
	cells->service_size = service_size ? service_size : 1;
	cells->cell_size = cell_size ? cell_size : 1;
	cells->of_service = calloc(services ? services : 1, cells->service_size);
	cells->table =
		calloc((size_t)(services ? services : 1) * sites, sizeof(*cells->table));
	if (!cells->of_service || !cells->table) {
		cells_free(cells);
		return -ENOMEM;
	}
	*out = cells;
	return 0;
}

void cells_free(struct cells *cells)
{
	if (!cells)
		return;
	for (size_t i = 0; cells->table && i < (size_t)cells->services * cells->sites;
		i++)
		free(cells->table[i]);
	free(cells->table);
	free(cells->of_service);
	free(cells);
}

void *cells_of_service(const struct cells *cells, unsigned service)
{
	return cells->of_service + service * cells->service_size;
}

void *cells_find(const struct cells *cells, unsigned service, unsigned site)
{
	return cells->table[(size_t)service * cells->sites + site];
}

void *cells_take(struct cells *cells, unsigned service, unsigned site)
{
	void **place = &cells->table[(size_t)service * cells->sites + site];

	if (!*place && cells->count < cells->limit) {
		*place = calloc(1, cells->cell_size);
		cells->count += *place != NULL;
	}
	cells->refused += *place == NULL;
	return *place;
}

unsigned cells_services(const struct cells *cells)
{
	return cells->services;
}

unsigned cells_count(const struct cells *cells)
{
	return cells->count;
}

uint64_t cells_refused(const struct cells *cells)
{
	return cells->refused;
}
