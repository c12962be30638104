/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include "util/cleanup.h"

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* Finds it in @notes, see elf(5). */
static bool add_from_notes(struct buf *to, const char *notes, size_t len)
{
	while (len >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *h = (const void *)notes;
		size_t name = padded(h->n_namesz), desc = padded(h->n_descsz);

		notes += sizeof(*h);
		len -= sizeof(*h);
		if (name > len || desc > len - name)
			return false;
		if (h->n_type == NT_GNU_BUILD_ID && h->n_namesz == sizeof("GNU") &&
		    !memcmp(notes, "GNU", sizeof("GNU"))) {
			for (size_t i = 0; i < h->n_descsz; i++)
				buf_addf(to, "%02x", (unsigned char)notes[name + i]);
			return h->n_descsz;
		}
		notes += name + desc;
		len -= name + desc;
	}
	return false;
}

struct self {
	struct buf *to;
	bool found;
};

/* Called with the program itself first. */
static int look_at_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct self *self = arg;

	(void)size;
	for (size_t i = 0; !self->found && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			self->found = add_from_notes(self->to,
						     (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
						     info->dlpi_phdr[i].p_memsz);
	return 1;
}

bool build_id_of_self(struct buf *to)
{
	struct self self = { to, false };

	dl_iterate_phdr(look_at_program, &self);
	return self.found;
}

bool build_id_of_kernel(struct buf *to)
{
	_close_ int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	uint32_t notes[2048]; /* aligned as they are */
	ssize_t len = fd < 0 ? -1 : read(fd, notes, sizeof(notes));

	return len > 0 && add_from_notes(to, (const char *)notes, (size_t)len);
}
