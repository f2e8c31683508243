#include "names_report.h"

#include <errno.h>
#include <stdlib.h>

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

void names_report_free(struct names_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		free(report->answers[i]);
	free(report->answers);
	*report = (struct names_report){0};
}
