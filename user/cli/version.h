/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#define NSSCOPE_VERSION "0.1.0"

#endif
