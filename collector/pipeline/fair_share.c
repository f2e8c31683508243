#include "fair_share.h"

#include <math.h>

#define TIMES_MOST 1.5
/* With fewer others nobody knows what is usual. */
#define OTHERS_LEAST 3
/* So many requests in five minutes are a person at work. */
#define REQUESTS_LEAST 30

/* What the others ask in a slot, on average; negative when they are too few. The last
 * place of a full track stands for many and says nothing of one. */
static double usual_of_others(const struct track *track, uint32_t vantage)
{
	unsigned others = 0, places = track->reporter_count;
	double sum = 0;

	if (places == TRACK_REPORTERS)
		places--;
	for (unsigned i = 0; i < places; i++) {
		if (track->reporters[i].vantage == vantage ||
			track->reporters[i].rate <= 0)
			continue;
		sum += track->reporters[i].rate;
		others++;
	}
	return others >= OTHERS_LEAST ? sum / others : -1;
}

double fair_share_of(
	const struct track *track, uint32_t vantage, const struct obs_traffic *window)
{
	double usual = usual_of_others(track, vantage), most, asked;

	if (usual < 0)
		return 1;
	most = fmax(TIMES_MOST * usual, REQUESTS_LEAST) * (double)window->window_us /
	       (double)track->slot_us;
	asked = fmax((double)window->requests, (double)window->connections);
	return asked > most ? most / asked : 1;
}

static void cut(int64_t *count, double part)
{
	if (*count != OBS_ABSENT)
		*count = (int64_t)((double)*count * part);
}

void fair_share_cut(struct obs_traffic *window, double part)
{
	int64_t *const counts[] = {&window->connections, &window->refused,
		&window->timed_out, &window->reset, &window->tls_failed,
		&window->requests, &window->responses, &window->errors};

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		cut(counts[i], part);
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		sketch_init(&window->sketches[i]);
}
