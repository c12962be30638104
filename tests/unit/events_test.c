/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists themselves: what the compiler cannot check of them. */
#include "event/event.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check_bytes.h"
#include "event/kinds.h"
#include "sink/schema.h"
#include "source/recording.h"
#include "test.h"

/* nss_config.types has a bit for each. */
static void types_fit_in_a_mask(void **state)
{
	(void)state;
	assert_true(NSS_EV_MAX <= 64);
}

static void names_are_names(void **state)
{
	(void)state;
	for (int t = 0; t < NSS_EV_MAX; t++) {
		const char *name = event_descs[t].name;

		assert_true(*name && strlen(name) <= 20); /* the text view copies them into a fixed field */
		for (const char *c = name; *c; c++)
			assert_true(islower(*c) || *c == '_');
		assert_true(*event_descs[t].doc != '\0');
		for (int u = 0; u < t; u++)
			assert_string_not_equal(name, event_descs[u].name);
	}
}

static void fields_stand_in_the_payload(void **state)
{
	(void)state;
	for (int t = 0; t < NSS_EV_MAX; t++) {
		const struct event_desc *d = &event_descs[t];
		size_t strings = 0;

		assert_true(d->payload % 4 == 0);
		for (uint16_t i = 0; i < d->nfields; i++) {
			const struct event_field *f = &d->fields[i];

			assert_true(f->offset < d->payload && f->offset % 4 == 0);
			assert_true(*f->doc != '\0');
			assert_ptr_equal(event_field(d, f->name, strlen(f->name)), f);
			assert_false(f->is_view && f->is_str);
			strings += f->is_str;
		}
		assert_true(strings <= EVENT_STR_MAX);
		assert_null(event_field(d, "no such", 7));
	}
}

/* The writers of strings look in event.str, those of all other kinds do not. */
static void kinds_of_strings_are_strings(void **state)
{
	(void)state;
	for (int t = 0; t < NSS_EV_MAX; t++) {
		for (uint16_t i = 0; i < event_descs[t].nfields; i++) {
			const struct event_field *f = &event_descs[t].fields[i];
			bool of_str = f->kind == KIND_STR || f->kind == KIND_ARGV || f->kind == KIND_BACKEND ||
				      f->kind == KIND_MOUNT_SOURCE || f->kind == KIND_MOUNT_FSTYPE ||
				      f->kind == KIND_QUIET_STR || f->kind == KIND_UNJOINED_STR ||
				      f->kind == KIND_FSMOUNT_TYPE || f->kind == KIND_LOG ||
				      f->kind == KIND_SETATTR_TARGET || f->kind == KIND_TARGET_HOST ||
				      f->kind == KIND_RECEIVERS;

			if (of_str != f->is_str)
				fail_msg("%s.%s", event_descs[t].name, f->name);
		}
	}
}

static void check_template(const struct event_desc *d)
{
	bool optional = false, named = false;

	for (const char *at = d->text; *at; at++) {
		const char *close;

		switch (*at) {
		case '{':
			close = strchr(at, '}');
			if (!close || !event_field(d, at + 1, (size_t)(close - at - 1)))
				fail_msg("%s: no field for \"%s\"", d->name, at);
			at = close;
			named = true;
			break;
		case '[':
			if (optional) /* event_text does not nest them */
				fail_msg("%s: [ inside [...]", d->name);
			optional = true;
			named = false;
			break;
		case ']':
			if (!optional || !named) /* without a field it would never be shown */
				fail_msg("%s: ] of no use at \"%s\"", d->name, at);
			optional = false;
			break;
		case '}':
			fail_msg("%s: } without {", d->name);
			break;
		default:
			assert_true(isprint(*at));
		}
	}
	if (optional)
		fail_msg("%s: [ without ]", d->name);
}

static void templates_name_fields(void **state)
{
	(void)state;
	for (int t = 0; t < NSS_EV_MAX; t++)
		check_template(&event_descs[t]);
}

static void each_shown_event_has_a_template(void **state)
{
	(void)state;
	for (int t = 0; t < NSS_EV_MAX; t++) {
		const struct event_desc *d = &event_descs[t];

		if (d->group != GROUP_NONE && !*d->text)
			fail_msg("%s", d->name);
	}
}

static void each_kind_is_used(void **state)
{
	static const char *const names[] = {
#define KIND(ID, json, text, values, members, required) #ID,
#include "event/kinds.def"
#undef KIND
	};
	bool used[KIND_MAX] = {};

	(void)state;
	for (int t = 0; t < NSS_EV_MAX; t++)
		for (uint16_t i = 0; i < event_descs[t].nfields; i++)
			used[event_descs[t].fields[i].kind] = true;
	for (int k = 0; k < KIND_MAX; k++)
		if (!used[k])
			fail_msg("%s", names[k]);
}

static void required_members_are_members(void **state)
{
	(void)state;
	for (int k = 0; k < KIND_MAX; k++) {
		const char *list = kinds[k].required;

		while (*list) {
			size_t n = strcspn(list, ",");
			char key[64];

			snprintf(key, sizeof(key), "\"%.*s\":", (int)n, list);
			if (!strstr(kinds[k].members, key))
				fail_msg("kind %d: %s", k, key);
			list += list[n] ? n + 1 : n;
		}
	}
}

static void schema_is_json(void **state)
{
	struct buf b = {};

	(void)state;
	schema_write(&b);
	assert_false(b.failed);
	assert_true(b.len > 1000 && b.data[b.len - 1] == '\n');
	assert_true(check_json(b.data, b.len - 1));
	assert_null(memchr(b.data, '@', b.len));
	buf_addc(&b, '\0');
	for (int t = 0; t < NSS_EV_MAX; t++) {
		char key[64];

		snprintf(key, sizeof(key), "\"type\":{\"const\":\"%s\"}", event_descs[t].name);
		assert_int_equal(!strstr(b.data, key), event_descs[t].class == CLASS_PART);
	}
	buf_free(&b);
}

/* The checker of JSON that the other tests rely on. */
static void checker_of_json(void **state)
{
	static const char *const good[] = { "{}", "[]", "[1,-2,0]", "{\"a\":[null,true,false],\"b\":{}}", "\"\\u00e9\\n\"" };
	static const char *const bad[] = {
		"", "{", "{}}", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "-", "nul", "\"\n\"", "\"\xff\"", "\"\\x\"",
		"\"\\ud800\"", "\"", "[1 ]", "{\"a\":1,}", "1.", "\"\\u12\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(check_json(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(check_json(bad[i], strlen(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_fit_in_a_mask),
		cmocka_unit_test(names_are_names),
		cmocka_unit_test(fields_stand_in_the_payload),
		cmocka_unit_test(kinds_of_strings_are_strings),
		cmocka_unit_test(templates_name_fields),
		cmocka_unit_test(each_shown_event_has_a_template),
		cmocka_unit_test(each_kind_is_used),
		cmocka_unit_test(required_members_are_members),
		cmocka_unit_test(schema_is_json),
		cmocka_unit_test(checker_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
