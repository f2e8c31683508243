#include "belief.h"

static enum belief_step rest(struct belief *belief, enum belief_event event)
{
	belief->stage = BELIEF_CALM;
	belief->event = event;
	return BELIEF_REST;
}

static enum belief_step believe(struct belief *belief)
{
	bool known = belief->known;

	belief->before = belief->believed;
	belief->believed = belief->candidate;
	belief->known = true;
	belief->dissent = false;
	return rest(belief, known ? BELIEF_CHANGED : BELIEF_BEGUN);
}

static enum belief_step turn_to_others(struct belief *belief, unsigned servers)
{
	if (servers < 2)
		return believe(belief);
	belief->stage = BELIEF_OTHER;
	belief->fruitless = 0;
	return BELIEF_ASK_OTHER;
}

static enum belief_step hear_in_calm(
	struct belief *belief, const struct delegation_word *word, unsigned servers)
{
	if (word->rc)
		return BELIEF_REST;
	if (belief->known && delegation_equal(&belief->believed, &word->delegation)) {
		/* What is told now and was not before. */
		if (word->delegation.ds_told || !belief->believed.ds_told)
			belief->believed = word->delegation;
		return BELIEF_REST;
	}
	if (belief->dissent && dns_endpoint_equal(&belief->dissenter, &word->server) &&
		delegation_equal(&belief->candidate, &word->delegation))
		return BELIEF_REST;
	belief->candidate = word->delegation;
	belief->dissenter = word->server;
	belief->dissent = false;
	if (!belief->known)
		return turn_to_others(belief, servers);
	belief->stage = BELIEF_SAME;
	return BELIEF_ASK_SAME;
}

static enum belief_step hear_the_same(
	struct belief *belief, const struct delegation_word *word, unsigned servers)
{
	if (word->rc == 0) {
		if (delegation_equal(&belief->believed, &word->delegation))
			return rest(belief, BELIEF_REFUTED);
		belief->candidate = word->delegation;
	}
	return turn_to_others(belief, servers);
}

static enum belief_step hear_others(
	struct belief *belief, const struct delegation_word *word, unsigned servers)
{
	unsigned patience = servers - 1 < 3 ? servers - 1 : 3;

	/* Its turn again: what it repeats is no second word, what it takes back is one.
	 */
	if (dns_endpoint_equal(&belief->dissenter, &word->server))
		return word->rc == 0 && belief->known &&
				       delegation_equal(
					       &belief->believed, &word->delegation)
			       ? rest(belief, BELIEF_NOTHING)
			       : BELIEF_ASK_OTHER;
	if (word->rc == 0 && delegation_equal(&belief->candidate, &word->delegation))
		return believe(belief);
	belief->fruitless++;
	if (belief->stage == BELIEF_OTHER && word->rc && belief->fruitless < patience)
		return BELIEF_ASK_OTHER;
	if (!belief->known)
		return believe(belief);
	if (belief->stage == BELIEF_OTHER) {
		belief->stage = BELIEF_LATER;
		belief->fruitless = 0;
		belief->event = BELIEF_SPREADING;
		return BELIEF_ASK_LATER;
	}
	if (belief->fruitless < BELIEF_AGAIN)
		return BELIEF_ASK_LATER;
	belief->dissent = true;
	return rest(belief, BELIEF_NOTHING);
}

enum belief_step belief_hear(
	struct belief *belief, const struct delegation_word *word, unsigned servers)
{
	belief->event = BELIEF_NOTHING;
	switch (belief->stage) {
	case BELIEF_SAME:
		return hear_the_same(belief, word, servers);
	case BELIEF_OTHER:
	case BELIEF_LATER:
		return hear_others(belief, word, servers);
	case BELIEF_CALM:
		break;
	}
	return hear_in_calm(belief, word, servers);
}
