// SPDX-License-Identifier: GPL-2.0-only
/* Parts of KUnit that older kernels lack: see compat.h, which Kbuild includes here too. */

#include <kunit/resource.h>
#include <linux/glob.h>
#include <linux/module.h>

#ifdef COMPAT_ACTIONS
struct action {
	void (*run)(void *arg);
	void *arg;
};

static int action_keep(struct kunit_resource *res, void *action)
{
	res->data = kmemdup(action, sizeof(struct action), GFP_KERNEL);
	return res->data ? 0 : -ENOMEM;
}

static void action_run(struct kunit_resource *res)
{
	struct action *action = res->data;

	action->run(action->arg);
	kfree(action);
}

static bool action_is(struct kunit *test, struct kunit_resource *res,
		      void *action)
{
	return res->free == action_run &&
	       !memcmp(res->data, action, sizeof(struct action));
}

int kunit_add_action_or_reset(struct kunit *test, void (*run)(void *arg),
			      void *arg)
{
	struct action action = { .run = run, .arg = arg };

	if (kunit_alloc_resource(test, action_keep, action_run, GFP_KERNEL,
				 &action))
		return 0;
	run(arg);
	return -ENOMEM;
}

void kunit_release_action(struct kunit *test, void (*run)(void *arg), void *arg)
{
	struct action action = { .run = run, .arg = arg };

	kunit_destroy_resource(test, action_is, &action);
}
#endif

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

int run_suites(struct kunit_suite **suites, unsigned int n)
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

void forget_suites(void)
{
	__kunit_test_suites_exit(chosen, chosen_count);
}
#endif
