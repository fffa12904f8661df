/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of findings, names, tags, and how evidence adds up. */
#include "rules/finding.h"

#include "tests/test.h"

TEST(every_finding_is_described)
{
	for (int i = 1; i < FIND_COUNT; i++) {
		const struct finding_info *f = finding_info((enum finding_id)i);

		CHECK(f->name != NULL && f->name[0] != '\0');
		if (f->name == NULL)
			continue;
		CHECK(f->title[0] != '\0' && f->where[0] != '\0');
		CHECK(f->advice[0] != '\0');
		CHECK(
		    strlen(f->advice) < sizeof(((struct finding *)0)->advice));
		CHECK(strlen(f->where) < sizeof(((struct finding *)0)->where));
		CHECK_INT(finding_by_name(f->name), i);
	}
	CHECK_INT(finding_by_name("no-such"), FIND_NONE);
	CHECK_STR(finding_info((enum finding_id)9999)->name, "content");
}

TEST(severities_and_tags_have_names)
{
	for (int i = SEV_INFO; i <= SEV_CRITICAL; i++)
		CHECK_INT(severity_by_name(severity_name((enum severity)i)), i);
	CHECK_INT(severity_by_name("fatal"), -1);
	for (uint32_t t = 1; t <= EVT_WAS_TLS; t <<= 1)
		CHECK_INT(evidence_tag_by_name(evidence_tag_name(t)), t);
	CHECK_INT(evidence_tag_by_name("?"), 0);
}

TEST(confidence_is_clamped)
{
	struct finding f;
	struct obs o;

	memset(&o, 0, sizeof(o));
	o.flow = 7;
	o.vis = VIS_GAP_C2S;
	finding_init(&f, FIND_RST_INJECTED, &o);
	CHECK_INT(f.flow, 7);
	CHECK_INT(f.vis, VIS_GAP_C2S);
	finding_add(&f, 90, "first %d", 1);
	finding_add(&f, 30, "second");
	CHECK_INT(f.confidence, 100);
	finding_add(&f, -120, "third");
	CHECK_INT(f.confidence, 0);
	CHECK_STR(f.evidence[0].text, "first 1");
	CHECK_INT(f.evidence[2].weight, -120);
}

TEST(evidence_is_bounded)
{
	char longest[2 * FINDING_SENTENCE_MAX];
	struct finding f;
	struct obs o;

	memset(&o, 0, sizeof(o));
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	finding_init(&f, FIND_RST_INJECTED, &o);
	for (int i = 0; i < FINDING_EVIDENCE_MAX + 3; i++)
		finding_add(&f, 1, "%s", longest);
	CHECK_INT(f.nevidence, FINDING_EVIDENCE_MAX);
	CHECK_INT(f.confidence, FINDING_EVIDENCE_MAX + 3);
	CHECK_INT(strlen(f.evidence[0].text), FINDING_SENTENCE_MAX - 1);
}

TEST_MAIN
