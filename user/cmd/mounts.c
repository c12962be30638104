/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope mounts: the mounts of one namespace, and what would reach where. */
#include <errno.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/listing.h"
#include "inspect/mountids.h"
#include "observe/host.h"
#include "sink/schema.h"
#include "view/mountview.h"

struct mounts {
	struct nstable table;
	struct mountgraph graph;
	struct inspect_gaps gaps;
	struct mountview view;
};

/* mount_fn */
static int take_mount(void *arg, uint32_t inum, const struct mountinfo *mount)
{
	return mountgraph_add(arg, inum, mount);
}

static int add_text(struct buf *b, const void *arg, size_t width)
{
	const struct mounts *m = arg;
	struct mountview view = m->view;

	view.width = width;
	view.wide = view.wide || !width;
	return mountview_text(b, &view);
}

static int add_json(struct buf *b, const void *arg)
{
	const struct mounts *m = arg;
	int err;

	buf_addf(b, "{\"type\":\"mounts\",\"schema\":%d,\"ns\":%u,", SCHEMA_VERSION, m->view.ns);
	listing_json_common(b, &m->gaps);
	buf_addc(b, ',');
	err = mountview_json(b, &m->view);
	buf_adds(b, "}\n");
	return err;
}

/* The mount namespace that is asked for; 0: complained. */
static uint32_t find_asked(const struct settings *s, const struct mounts *m)
{
	const struct ns *ns = NULL;

	if (s->pid) {
		for (size_t i = 0; i < m->table.nprocesses && !ns; i++)
			if (m->table.processes[i]->pid == s->pid)
				ns = nstable_find(&m->table, m->table.processes[i]->ns[NSS_NS_MNT]);
		if (!ns)
			complain("process %u: no such process, or its mount namespace cannot be seen", s->pid);
	} else {
		ns = nstable_find(&m->table, s->mounts_ns ? s->mounts_ns : m->view.host);
		if (!ns || ns->type != NSS_NS_MNT) {
			complain("no mount namespace %u; nsscope ns -t mnt lists them", s->mounts_ns);
			ns = NULL;
		}
	}
	return ns ? ns->inum : 0;
}

static bool has_mounts(const struct mountgraph *g, uint32_t inum)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->mounts[i]->ns == inum)
			return true;
	return false;
}

static int show(const struct settings *s, struct mounts *m)
{
	struct listing listing = { .text = add_text, .json = add_json, .arg = m };
	int err, status;

	m->view.ns = find_asked(s, m);
	if (!m->view.ns)
		return STATUS_FAILED;
	if (!has_mounts(&m->graph, m->view.ns)) {
		complain("the mounts of namespace %u cannot be read; run nsscope as root", m->view.ns);
		return STATUS_FAILED;
	}
	err = mountids_read(&m->graph, m->view.ns, nstable_find(&m->table, m->view.ns)->id);
	if (err) {
		complain("cannot show the mounts: %s", strerror(-err));
		return STATUS_FAILED;
	}
	status = listing_write(s, &listing);
	if (!status && !m->view.complete)
		listing_complain(&m->gaps);
	return status;
}

int cmd_mounts(const struct settings *s)
{
	struct mounts m = {
		.view = {
			.graph = &m.graph,
			.namespaces = &m.table,
			.host = ns_inum_read("self", "mnt"),
			.tree = s->style.tree,
			.wide = s->style.wide,
		},
	};
	struct inspect_settings inspect = { .mount = take_mount, .arg = &m.graph };
	int status = STATUS_FAILED, err = inspect_namespaces(&inspect, &m.table, &m.gaps);

	if (!err)
		err = nstable_finish(&m.table);
	if (!err)
		err = mountgraph_finish(&m.graph);
	m.view.complete = inspect_has_all_mounts(&m.gaps);
	if (err)
		complain("cannot read the mounts: %s", strerror(-err));
	else
		status = show(s, &m);
	mountgraph_free(&m.graph);
	nstable_free(&m.table);
	return status;
}
