/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a KUnit module's main file: its suites. */
#ifndef _KUNIT_RUN_SUITES_H
#define _KUNIT_RUN_SUITES_H

#include <kunit/test.h>
#include <linux/glob.h>
#include <linux/module.h>

/*
 * run_suites_after(PREPARE, SUITES...): run them when PREPARE(), the module's init
 * function, has returned 0.
 *
 * Until 6.6 KUnit ran all suites of a module, and that before the module had its
 * parameters. There the module's init function runs those that its filter_glob names,
 * as KUnit's own does later.
 */
#ifdef COMPAT_SUITES
#define MOST_SUITES 64

static char *filter_glob = "*";
module_param(filter_glob, charp, 0);
MODULE_PARM_DESC(filter_glob, "What to run: a glob for suites, or SUITE.CASE");

static struct kunit_suite *chosen[MOST_SUITES];
static unsigned int chosen_count;

/* Leave of the suite's cases those that match, and say whether there are any. */
static bool choose_cases(struct kunit_suite *suite, const char *glob)
{
	struct kunit_case *from, *to = suite->test_cases;

	for (from = to; from->run_case; from++) {
		if (glob_match(glob, from->name))
			*to++ = *from;
	}
	*to = (struct kunit_case){};
	return to != suite->test_cases;
}

static int filtered_suites_run(struct kunit_suite **suites, unsigned int n)
{
	char *cases = filter_glob;
	char *suite = strsep(&cases, ".");
	unsigned int i;

	if (n > MOST_SUITES)
		return -E2BIG;
	for (i = 0; i < n; i++) {
		if (glob_match(suite, suites[i]->name) &&
		    choose_cases(suites[i], cases ?: "*"))
			chosen[chosen_count++] = suites[i];
	}
	return __kunit_test_suites_init(chosen, chosen_count);
}

static void filtered_suites_exit(void)
{
	__kunit_test_suites_exit(chosen, chosen_count);
}

#define run_suites_after(prepare, ...)					\
static struct kunit_suite *module_suites[] = { __VA_ARGS__ };		\
static int __init suites_init(void)					\
{									\
	return prepare() ?:						\
	       filtered_suites_run(module_suites,			\
				   ARRAY_SIZE(module_suites));		\
}									\
static void __exit suites_exit(void)					\
{									\
	filtered_suites_exit();						\
}									\
module_init(suites_init);						\
module_exit(suites_exit)
#else
#define run_suites_after(prepare, ...)					\
kunit_test_suites(__VA_ARGS__);						\
static void __exit suites_exit(void)					\
{									\
}									\
module_init(prepare);							\
module_exit(suites_exit)
#endif

#endif /* _KUNIT_RUN_SUITES_H */
