#include "subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

#define SUBJECTS 100000  /* in all */
#define SUBJECTS_EACH 64 /* of one kind, service and probe: what one sender can take */
#define FORMS 8          /* of one subject */
/* The same form is written again at most this often: what a fleet sends is mostly the
 * same. */
#define REFRESH_US (3 * MOMENT_SECOND_US)
/* A form that stood for this many looks or this long is what was usual, when another
 * comes. */
#define SETTLED_LOOKS 10
#define SETTLED_US MOMENT_HOUR_US

struct subjects {
	int64_t count; /* at least as many as there are: retention takes some away */
	struct database_statement *find, *count_all, *count_each, *insert, *switch_form,
		*touch;
	struct database_statement *find_form, *read_form, *insert_form, *touch_form,
		*evict_form;
};

/* A row of `subject` while it is worked on. */
struct subject {
	int64_t id, now, before, since_us, at_us, looks;
};

struct form {
	int64_t id, last_us, hidden;
	char signature[SIGNATURE_MAX];
};

const char *subject_kind_text(enum subject_kind kind)
{
	static const char *const texts[SUBJECT_KINDS] = {
		[SUBJECT_PATH] = "path",
		[SUBJECT_DNS] = "dns",
		[SUBJECT_REGISTRY] = "registry",
		[SUBJECT_CERTIFICATE] = "certificate",
		[SUBJECT_CHECK] = "check",
	};

	return texts[kind];
}

/* One number out of a statement that yields at most one row: 1, 0 when there is none. */
static int read_number(struct database_statement *statement, int64_t *out)
{
	int rc = database_step(statement);

	if (rc > 0)
		*out = database_int(statement, 0);
	database_reset(statement);
	return rc;
}

int subject_open(struct subjects **out, struct database *database)
{
	struct subjects *subjects = calloc(1, sizeof(*subjects));
	int rc = 0;

	*out = NULL;
	if (!subjects)
		return -ENOMEM;
	const struct {
		struct database_statement **into;
		const char *sql;
	} rows[] = {
		{&subjects->find,
			"SELECT id, now, before, since_us, at_us, looks FROM subject "
			"WHERE kind = ? "
			"AND service = ? AND site = ? AND probe = ? AND name = ?"},
		{&subjects->count_all, "SELECT count(*) FROM subject"},
		{&subjects->count_each, "SELECT count(*) FROM subject WHERE kind = ? AND "
					"service = ? AND probe = ?"},
		{&subjects->insert,
			"INSERT INTO subject (kind, service, site, probe, name, now, "
			"before, since_us, at_us, looks) VALUES (?, ?, ?, ?, ?, 0, 0, "
			"?, ?, 0) RETURNING id"},
		{&subjects->switch_form, "UPDATE subject SET now = ?, before = ?, "
					 "since_us = ?, at_us = ?, "
					 "looks = ? WHERE id = ?"},
		{&subjects->touch,
			"UPDATE subject SET at_us = ?, looks = looks + 1 WHERE id = ?"},
		{&subjects->find_form,
			"SELECT id, last_us, hidden, signature FROM form WHERE "
			"subject = ? AND signature = ?"},
		{&subjects->read_form,
			"SELECT id, last_us, hidden, signature FROM form WHERE id = ?"},
		{&subjects->insert_form, "INSERT INTO form (subject, signature, hidden, "
					 "first_us, last_us, line) "
					 "VALUES (?, ?, ?, ?, ?, ?) RETURNING id"},
		{&subjects->touch_form,
			"UPDATE form SET last_us = ?, hidden = ?, line = ? WHERE id = ?"},
		{&subjects->evict_form, "DELETE FROM form WHERE id IN (SELECT id FROM "
					"form WHERE subject = ?1 AND "
					"id NOT IN (?2, ?3, ?4) ORDER BY last_us DESC "
					"LIMIT -1 OFFSET ?5)"},
	};
	for (size_t i = 0; !rc && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = database_prepare(rows[i].into, database, rows[i].sql);
	if (!rc)
		rc = read_number(subjects->count_all, &subjects->count);
	if (rc < 0) {
		subject_close(subjects);
		return rc;
	}
	*out = subjects;
	return 0;
}

void subject_close(struct subjects *subjects)
{
	if (!subjects)
		return;
	database_finalize(subjects->find);
	database_finalize(subjects->count_all);
	database_finalize(subjects->count_each);
	database_finalize(subjects->insert);
	database_finalize(subjects->switch_form);
	database_finalize(subjects->touch);
	database_finalize(subjects->find_form);
	database_finalize(subjects->read_form);
	database_finalize(subjects->insert_form);
	database_finalize(subjects->touch_form);
	database_finalize(subjects->evict_form);
	free(subjects);
}

static void bind_key(struct database_statement *statement, const struct subject_key *key)
{
	database_bind_text(statement, 1, subject_kind_text(key->kind));
	database_bind_text(statement, 2, key->service);
	database_bind_text(statement, 3, key->site);
	database_bind_text(statement, 4, key->probe);
	database_bind_text(statement, 5, key->name);
}

static int has_room(struct subjects *subjects, const struct subject_key *key)
{
	int64_t each = 0;
	int rc = subjects->count < SUBJECTS
			 ? 0
			 : read_number(subjects->count_all, &subjects->count);

	if (rc < 0)
		return rc;
	database_bind_text(subjects->count_each, 1, subject_kind_text(key->kind));
	database_bind_text(subjects->count_each, 2, key->service);
	database_bind_text(subjects->count_each, 3, key->probe);
	rc = read_number(subjects->count_each, &each);
	if (rc < 0)
		return rc;
	return subjects->count < SUBJECTS && each < SUBJECTS_EACH ? 0 : STATUS_LIMIT;
}

static int find_or_insert(struct subjects *subjects, struct subject *subject,
	const struct subject_key *key, struct moment rx)
{
	int rc;

	bind_key(subjects->find, key);
	rc = database_step(subjects->find);
	if (rc > 0)
		*subject = (struct subject){.id = database_int(subjects->find, 0),
			.now = database_int(subjects->find, 1),
			.before = database_int(subjects->find, 2),
			.since_us = database_int(subjects->find, 3),
			.at_us = database_int(subjects->find, 4),
			.looks = database_int(subjects->find, 5)};
	database_reset(subjects->find);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = has_room(subjects, key);
	if (rc)
		return rc;
	*subject = (struct subject){.since_us = rx.us};
	bind_key(subjects->insert, key);
	database_bind_int(subjects->insert, 6, rx.us);
	database_bind_int(subjects->insert, 7, rx.us);
	rc = read_number(subjects->insert, &subject->id);
	if (rc < 0)
		return rc;
	subjects->count++;
	return 0;
}

static int take_form(struct database_statement *statement, struct form *form)
{
	int rc = database_step(statement);

	if (rc > 0) {
		form->id = database_int(statement, 0);
		form->last_us = database_int(statement, 1);
		form->hidden = database_int(statement, 2);
		strncpy(form->signature, database_text(statement, 3), SIGNATURE_MAX - 1);
	}
	database_reset(statement);
	return rc;
}

/* A path whose routers were silent this time may lack what they would have shown. */
static bool saw_less(const struct subject_key *key, const struct signature *signature,
	const struct form *now)
{
	return key->kind == SUBJECT_PATH && signature->hidden > now->hidden &&
	       signature_within(signature->text, now->signature);
}

static bool settled(const struct subject *subject)
{
	return subject->looks >= SETTLED_LOOKS ||
	       subject->at_us - subject->since_us >= SETTLED_US;
}

static int insert_form(struct subjects *subjects, struct subject *subject,
	struct form *form, struct moment rx, const struct signature *signature,
	const char *line)
{
	struct database_statement *insert = subjects->insert_form;
	int rc;

	database_bind_int(insert, 1, subject->id);
	database_bind_text(insert, 2, signature->text);
	database_bind_int(insert, 3, signature->hidden);
	database_bind_int(insert, 4, rx.us);
	database_bind_int(insert, 5, rx.us);
	database_bind_text(insert, 6, line);
	rc = read_number(insert, &form->id);
	if (rc < 0)
		return rc;
	database_bind_int(subjects->evict_form, 1, subject->id);
	database_bind_int(subjects->evict_form, 2, form->id);
	database_bind_int(subjects->evict_form, 3, subject->now);
	database_bind_int(subjects->evict_form, 4, subject->before);
	database_bind_int(subjects->evict_form, 5, FORMS - 3);
	return database_step(subjects->evict_form);
}

static int touch_form(struct subjects *subjects, const struct form *form,
	struct moment rx, int64_t hidden, const char *line)
{
	database_bind_int(subjects->touch_form, 1, rx.us);
	database_bind_int(subjects->touch_form, 2, hidden);
	database_bind_text(subjects->touch_form, 3, line);
	database_bind_int(subjects->touch_form, 4, form->id);
	return database_step(subjects->touch_form);
}

static int stay(
	struct subjects *subjects, const struct subject *subject, struct moment rx)
{
	database_bind_int(subjects->touch, 1, rx.us);
	database_bind_int(subjects->touch, 2, subject->id);
	return database_step(subjects->touch);
}

/* "Before" is what was usual: the form now left when it had settled, else the one before
 * it. */
static int move(struct subjects *subjects, const struct subject *subject,
	const struct form *to, struct moment rx)
{
	struct database_statement *statement = subjects->switch_form;
	bool back = subject->before == to->id;
	int64_t before = subject->before;

	if (settled(subject) || !before || back)
		before = subject->now;
	database_bind_int(statement, 1, to->id);
	database_bind_int(statement, 2, before);
	database_bind_int(statement, 3, rx.us);
	database_bind_int(statement, 4, rx.us);
	database_bind_int(statement, 5, back ? SETTLED_LOOKS : 1);
	database_bind_int(statement, 6, subject->id);
	return database_step(statement);
}

static int look_again(struct subjects *subjects, const struct subject *subject,
	const struct form *now, struct moment rx, int64_t hidden, const char *line)
{
	int rc;

	if (rx.us - subject->at_us < REFRESH_US)
		return 0;
	rc = touch_form(subjects, now, rx, hidden, line);
	return rc ? rc : stay(subjects, subject, rx);
}

int subject_see(struct subjects *subjects, const struct subject_key *key,
	struct moment rx, const struct signature *signature, const char *line)
{
	struct subject subject;
	struct form now = {0}, form = {0};
	int rc = find_or_insert(subjects, &subject, key, rx);

	if (rc)
		return rc;
	if (subject.now) {
		database_bind_int(subjects->read_form, 1, subject.now);
		rc = take_form(subjects->read_form, &now);
		if (rc < 0)
			return rc;
	}
	if (now.id && strcmp(now.signature, signature->text) == 0)
		return look_again(subjects, &subject, &now, rx, signature->hidden, line);
	database_bind_int(subjects->find_form, 1, subject.id);
	database_bind_text(subjects->find_form, 2, signature->text);
	rc = take_form(subjects->find_form, &form);
	if (rc < 0)
		return rc;
	if (rc == 0 && now.id && saw_less(key, signature, &now))
		return look_again(subjects, &subject, &now, rx, now.hidden, line);
	rc = rc ? touch_form(subjects, &form, rx, signature->hidden, line)
		: insert_form(subjects, &subject, &form, rx, signature, line);
	return rc ? rc : move(subjects, &subject, &form, rx);
}
