/* Any text as a targets file: what is taken is fit for the wire. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/wire.h"
#include "trace_targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct trace_targets targets = {0};
	struct fault fault = {0};
	int rc = trace_targets_parse(&targets, (const char *)bytes, len, &fault);

	assert(rc == 0 || (fault.line > 0 && fault.why[0]));
	for (size_t i = 0; i < targets.count; i++) {
		assert(wire_service_is_valid(targets.list[i].host));
		assert(wire_service_is_valid(targets.list[i].name));
	}
	trace_targets_free(&targets);
	return 0;
}
