/*
 * What a probe may send, expanded: refused with a status, a line and a reason, or taken
 * in, and then every observation comes back out of its parcel as it was decoded.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "batch_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_refused(int status, const struct fault *fault)
{
	require(status == 400 || status == 403 || status == 413);
	require(fault->line >= 1 && fault->why[0] != '\0');
}

static void check_taken(const struct wire_batch *batch, const struct parcel *parcel,
	const char *text, size_t len)
{
	static struct obs decoded, unpacked;
	const char *at = text, *line;
	int64_t count = 0;
	size_t place = 0;
	bool terminated;

	require(strcmp(batch->probe, "a") == 0);
	(void)wire_next_line(&at, text + len, &len, &terminated);
	while (parcel_next(parcel, &place, &unpacked)) {
		line = wire_next_line(&at, at + strlen(at), &len, &terminated);
		require(line && wire_decode(&decoded, line, len, NULL) == 0);
		require(obs_equal(&decoded, &unpacked));
		count++;
	}
	require(count == batch->observations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct obs scratch;
	struct parcel parcel = {0};
	struct fault fault = {0};
	struct wire_batch batch;
	char *text = malloc(size + 1);
	int status;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	status = batch_text_read(&batch, &parcel, text, size, "a", &scratch, &fault);
	if (status)
		check_refused(status, &fault);
	else
		check_taken(&batch, &parcel, text, size);
	parcel_free(&parcel);
	free(text);
	return 0;
}
