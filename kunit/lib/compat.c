// SPDX-License-Identifier: GPL-2.0-only
/* Parts of KUnit that older kernels lack: see compat.h, which Kbuild includes here too. */

#include <kunit/resource.h>
#include <linux/module.h>
#include <linux/slab.h>

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
EXPORT_TO_TESTS(kunit_add_action_or_reset);

void kunit_release_action(struct kunit *test, void (*run)(void *arg), void *arg)
{
	struct action action = { .run = run, .arg = arg };

	kunit_destroy_resource(test, action_is, &action);
}
EXPORT_TO_TESTS(kunit_release_action);
#endif
