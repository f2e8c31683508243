#include "probe_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "text_table.h"

#define PROBES 20000

struct probe {
	char name[OBS_WORD], site[OBS_WORD];
	int64_t first_us, last_us, behind_us;
	bool changed;
	char *hello, *health; /* not written yet; NULL: nothing new */
};

struct probe_table {
	struct database_statement *write;
	struct text_table *numbers; /* name to its place in `list` */
	size_t count, room;
	struct probe *list;
};

static int add(struct probe_table *table, const char *name, struct probe **out)
{
	int rc;

	if (table->count == table->room) {
		size_t room = table->room ? 2 * table->room : 16;
		struct probe *list = realloc(table->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		table->list = list;
		table->room = room;
	}
	rc = text_table_put(table->numbers, name, (int64_t)table->count);
	if (rc)
		return rc;
	*out = &table->list[table->count++];
	**out = (struct probe){0};
	(void)snprintf((*out)->name, sizeof((*out)->name), "%s", name);
	return 0;
}

static int load(struct probe_table *table, struct database *database)
{
	struct database_statement *statement;
	int rc = database_prepare(&statement, database,
		"SELECT name, site, first_us, last_us, behind_us FROM probe");

	if (rc)
		return rc;
	while ((rc = database_step(statement)) > 0) {
		struct probe *probe;

		rc = add(table, database_text(statement, 0), &probe);
		if (rc)
			break;
		(void)snprintf(probe->site, sizeof(probe->site), "%s",
			database_text(statement, 1));
		probe->first_us = database_int(statement, 2);
		probe->last_us = database_int(statement, 3);
		probe->behind_us = database_int(statement, 4);
	}
	database_finalize(statement);
	return rc;
}

int probe_table_open(struct probe_table **out, struct database *database)
{
	struct probe_table *table = calloc(1, sizeof(*table));
	int rc;

	*out = NULL;
	if (!table)
		return -ENOMEM;
	rc = text_table_new(&table->numbers, PROBES);
	if (!rc)
		rc = database_prepare(&table->write, database,
			"INSERT INTO probe (name, site, first_us, last_us, behind_us, "
			"hello, "
			"health) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO "
			"UPDATE SET "
			"site = ?2, last_us = ?4, behind_us = ?5, hello = coalesce(?6, "
			"hello), "
			"health = coalesce(?7, health)");
	if (!rc)
		rc = load(table, database);
	if (rc) {
		probe_table_close(table);
		return rc;
	}
	*out = table;
	return 0;
}

void probe_table_close(struct probe_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++) {
		free(table->list[i].hello);
		free(table->list[i].health);
	}
	free(table->list);
	text_table_free(table->numbers);
	database_finalize(table->write);
	free(table);
}

const char *probe_table_site(const struct probe_table *table, const char *probe)
{
	int64_t number;

	return text_table_find(table->numbers, probe, &number) ? table->list[number].site
							       : "";
}

static int keep(char **into, const char *line)
{
	char *copy = strdup(line);

	if (!copy)
		return -ENOMEM;
	free(*into);
	*into = copy;
	return 0;
}

static void settle(struct probe *probe, const struct obs_hello *hello)
{
	probe->site[0] = '\0';
	for (unsigned i = 0; i < hello->label_count; i++)
		if (strcmp(hello->labels[i].key, "site") == 0)
			(void)snprintf(probe->site, sizeof(probe->site), "%s",
				hello->labels[i].value);
}

int probe_table_see(struct probe_table *table, const struct wire_origin *origin,
	const struct obs *obs, const char *line)
{
	struct probe *probe;
	int64_t number;
	int rc = 0;

	if (text_table_find(table->numbers, origin->probe, &number))
		probe = &table->list[number];
	else
		rc = add(table, origin->probe, &probe);
	if (rc)
		return rc;
	if (!probe->first_us)
		probe->first_us = origin->rx.us;
	probe->last_us = origin->rx.us;
	probe->behind_us = moment_since_us(origin->rx, obs->at);
	probe->changed = true;
	if (obs->kind == OBS_HELLO) {
		settle(probe, &obs->hello);
		return keep(&probe->hello, line);
	}
	return obs->kind == OBS_HEALTH ? keep(&probe->health, line) : 0;
}

static int write_probe(struct database_statement *write, struct probe *probe)
{
	int rc;

	database_bind_text(write, 1, probe->name);
	database_bind_text(write, 2, probe->site);
	database_bind_int(write, 3, probe->first_us);
	database_bind_int(write, 4, probe->last_us);
	database_bind_int(write, 5, probe->behind_us);
	database_bind_text(write, 6, probe->hello);
	database_bind_text(write, 7, probe->health);
	rc = database_step(write);
	if (rc)
		return rc;
	free(probe->hello);
	free(probe->health);
	probe->hello = probe->health = NULL;
	probe->changed = false;
	return 0;
}

int probe_table_write(struct probe_table *table)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < table->count; i++)
		if (table->list[i].changed)
			rc = write_probe(table->write, &table->list[i]);
	return rc;
}
