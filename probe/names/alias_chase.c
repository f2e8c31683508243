#include "alias_chase.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "alias.h"

struct chase {
	struct alias_chase_order order;
	unsigned links;
};

static void follow(struct chase *chase);

static void answered(void *arg, int rc, const struct dns_reply *reply)
{
	struct chase *chase = arg;
	const struct alias_chase_order *order = &chase->order;
	const char *next = NULL;

	if (rc == 0)
		next = alias_open_end(reply->message, reply->question->name, order->type);
	if (next && ++chase->links < ALIAS_LINKS) {
		(void)snprintf(chase->order.target, OBS_NAME, "%s", next);
		follow(chase);
		return;
	}
	if (rc == 0 && !next)
		order->heard(order->arg, order->name, reply);
	order->done(order->arg, rc == -ECANCELED);
	free(chase);
}

static void follow(struct chase *chase)
{
	finder_records(chase->order.finder, chase->order.target, chase->order.type,
		answered, chase);
}

int alias_chase(const struct alias_chase_order *order)
{
	struct chase *chase = malloc(sizeof(*chase));

	if (!chase)
		return -ENOMEM;
	*chase = (struct chase){.order = *order};
	follow(chase);
	return 0;
}
