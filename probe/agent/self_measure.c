#include "self_measure.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "astray/moment.h"
#include "astray/obs.h"

static int64_t timeval_us(struct timeval span)
{
	return span.tv_sec * MOMENT_SECOND_US + span.tv_usec;
}

int64_t self_measure_cpu_us(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		return OBS_ABSENT;
	return timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime);
}

int64_t self_measure_rss_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long long pages = -1;

	if (!file)
		return OBS_ABSENT;
	if (fscanf(file, "%*d %lld", &pages) != 1)
		pages = -1;
	(void)fclose(file);
	return pages < 0 ? OBS_ABSENT : pages * sysconf(_SC_PAGESIZE);
}
