#include "checkpoint.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "archive.h"
#include "astray/status.h"
#include "pipeline.h"
#include "snapshot_file.h"

struct picture {
	struct snapshot_head head;
	struct archive *archive; /* NULL: none */
};

struct checkpoint {
	uv_loop_t *loop;
	const struct log *log;
	char path[PATH_MAX];
	struct picture now, next; /* being written; to be written */
	uv_work_t work;
	int rc; /* of the last write */
	bool failing, closing;
};

int checkpoint_new(struct checkpoint **out, struct uv_loop_s *loop, const char *path,
	const struct log *log)
{
	struct checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));

	*out = checkpoint;
	if (!checkpoint)
		return -ENOMEM;
	checkpoint->loop = loop;
	checkpoint->log = log;
	checkpoint->work.data = checkpoint;
	(void)snprintf(checkpoint->path, sizeof(checkpoint->path), "%s", path);
	return 0;
}

static void on_thread(uv_work_t *work)
{
	struct checkpoint *checkpoint = work->data;
	size_t len;
	const void *bytes = archive_bytes(checkpoint->now.archive, &len);

	checkpoint->rc =
		snapshot_file_write(checkpoint->path, &checkpoint->now.head, bytes, len);
}

static void tell(struct checkpoint *checkpoint)
{
	if (checkpoint->rc && !checkpoint->failing)
		log_error(checkpoint->log, "snapshot", "%s: %s, tried again and again",
			checkpoint->path, status_text(checkpoint->rc));
	if (!checkpoint->rc && checkpoint->failing)
		log_info(checkpoint->log, "snapshot", "%s is written again",
			checkpoint->path);
	checkpoint->failing = checkpoint->rc != 0;
}

static void begin(struct checkpoint *checkpoint);

static void written(uv_work_t *work, int status)
{
	struct checkpoint *checkpoint = work->data;

	if (status)
		checkpoint->rc = status;
	tell(checkpoint);
	archive_free(checkpoint->now.archive);
	checkpoint->now.archive = NULL;
	if (checkpoint->next.archive)
		begin(checkpoint);
	else if (checkpoint->closing)
		free(checkpoint);
}

static void begin(struct checkpoint *checkpoint)
{
	checkpoint->now = checkpoint->next;
	checkpoint->next.archive = NULL;
	/* It fails for want of a callback only. */
	(void)uv_queue_work(checkpoint->loop, &checkpoint->work, on_thread, written);
}

void checkpoint_take(
	struct checkpoint *checkpoint, struct pipeline *pipeline, struct moment position)
{
	struct picture picture = {.head = {.position = position}};

	if (archive_new(&picture.archive))
		return;
	(void)snprintf(picture.head.version, sizeof(picture.head.version), "%s",
		pipeline_version());
	pipeline_keep(picture.archive, pipeline);
	if (archive_rc(picture.archive)) {
		archive_free(picture.archive);
		return;
	}
	archive_free(checkpoint->next.archive);
	checkpoint->next = picture;
	if (!checkpoint->now.archive)
		begin(checkpoint);
}

static int read_state(struct pipeline *pipeline, const void *bytes, size_t len)
{
	struct archive *archive;
	int rc = archive_open(&archive, bytes, len);

	if (rc)
		return rc;
	pipeline_keep(archive, pipeline);
	rc = archive_rc(archive);
	if (rc == 0 && !archive_is_through(archive))
		rc = STATUS_CORRUPT;
	archive_free(archive);
	return rc;
}

static const char *misfit(const struct checkpoint_bounds *bounds, struct moment position)
{
	if (moment_before(bounds->journal, position))
		return "it knows more than the journal";
	if (moment_before(bounds->store, position))
		return "it knows more than the store";
	return NULL;
}

static int set_aside(struct checkpoint *checkpoint, int rc, const char *why)
{
	log_warn(checkpoint->log, "snapshot",
		"%s: %s; set aside, the journal is judged again", checkpoint->path, why);
	(void)snapshot_file_set_aside(checkpoint->path);
	return rc;
}

int checkpoint_read(struct checkpoint *checkpoint, struct pipeline *pipeline,
	const struct checkpoint_bounds *bounds, struct moment *position)
{
	struct snapshot_head head;
	char at[MOMENT_TEXT];
	void *bytes;
	size_t len;
	int rc = snapshot_file_read(
		checkpoint->path, pipeline_version(), &head, &bytes, &len);

	if (rc == -ENOENT)
		return rc;
	if (rc == STATUS_UNSUPPORTED)
		return set_aside(checkpoint, rc, "it is of another version");
	if (rc == 0 && misfit(bounds, head.position)) {
		free(bytes);
		return set_aside(
			checkpoint, STATUS_CORRUPT, misfit(bounds, head.position));
	}
	if (rc == 0)
		rc = read_state(pipeline, bytes, len);
	free(bytes);
	if (rc)
		return set_aside(checkpoint, rc, status_text(rc));
	*position = head.position;
	log_info(checkpoint->log, "snapshot", "judges on from %s",
		moment_text(head.position, false, at));
	return 0;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
	if (!checkpoint)
		return;
	checkpoint->closing = true;
	if (!checkpoint->now.archive)
		free(checkpoint);
}
