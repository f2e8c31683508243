/*
 * Runs a fuzz target over its committed corpus: every file of the folders and files named
 * on the command line, whole and cut at every length up to a bound. The same target under
 * libFuzzer explores; this repeats.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIXES_MAX 4096 /* a larger file is cut at this many evenly spaced lengths */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_prefix(const uint8_t *bytes, size_t len)
{
	/* An exact copy, so that reading one byte too far is seen. */
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t len = 0, step;
	char chunk[65536];

	if (!file) {
		perror(path);
		return -1;
	}
	for (size_t got; (got = fread(chunk, 1, sizeof(chunk), file)) > 0; len += got) {
		bytes = realloc(bytes, len + got);
		if (!bytes)
			abort();
		memcpy(bytes + len, chunk, got);
	}
	(void)fclose(file);
	step = len / PREFIXES_MAX + 1;
	for (size_t cut = 0; cut < len; cut += step)
		try_prefix(bytes, cut);
	if (bytes)
		try_prefix(bytes, len);
	free(bytes);
	return 0;
}

static int run_path(const char *path, unsigned *count)
{
	struct stat st;
	struct dirent *entry;
	char inner[PATH_MAX];
	DIR *dir;
	int rc = 0;

	if (stat(path, &st)) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode)) {
		(*count)++;
		return run_file(path);
	}
	dir = opendir(path);
	if (!dir) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		rc |= run_path(inner, count);
	}
	(void)closedir(dir);
	return rc;
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	int rc = 0;

	for (int i = 1; i < argc; i++)
		rc |= run_path(argv[i], &count);
	printf("%u inputs\n", count);
	if (count == 0)
		(void)fprintf(stderr, "the corpus is empty\n");
	return rc || count == 0;
}
