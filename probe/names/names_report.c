#include "names_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int keep(struct names_report *report, const struct obs_dns *answer)
{
	struct obs_dns *copy = malloc(sizeof(*copy));
	struct obs_dns **answers =
		reallocarray(report->answers, report->count + 1, sizeof(*answers));

	if (answers)
		report->answers = answers;
	if (!copy || !answers) {
		free(copy);
		return -ENOMEM;
	}
	*copy = *answer;
	report->answers[report->count++] = copy;
	return 0;
}

int names_report_add(struct names_report *report, const struct obs_dns *answer)
{
	if (report->count < NAMES_REPORT_ANSWERS)
		return keep(report, answer);
	report->left_out++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct obs_dns *left = *(struct obs_dns *const *)a;
	const struct obs_dns *right = *(struct obs_dns *const *)b;
	int order = (int)left->role - (int)right->role;

	if (order == 0)
		order = strcmp(left->name, right->name);
	if (order == 0)
		order = strcmp(left->type, right->type);
	return order ? order : address_compare(&left->server, &right->server);
}

void names_report_sort(struct names_report *report)
{
	if (report->count)
		qsort(report->answers, report->count, sizeof(report->answers[0]),
			compare);
}

void names_report_free(struct names_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		free(report->answers[i]);
	free(report->answers);
	*report = (struct names_report){0};
}
