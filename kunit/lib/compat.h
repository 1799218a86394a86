/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests need of newer kernels, for those that lack it. Kbuild includes it in
 * front of each of their files.
 */
#ifndef _KUNIT_COMPAT_H
#define _KUNIT_COMPAT_H

#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/version.h>

/* page_frag_alloc_align() has a header of its own since 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#include <linux/page_frag_cache.h>
#endif

/*
 * KUnit runs all suites of a module until 6.6, whatever filter is asked for. Where the
 * kernel was built without KUnit (scripts/guest/kunit-module.sh), it does not look for
 * the suites of a module at all.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0) || !IS_ENABLED(CONFIG_KUNIT)
#define COMPAT_SUITES	/* in run_suites.h */
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define COMPAT_ACTIONS	/* in compat.c */
int kunit_add_action_or_reset(struct kunit *test, void (*action)(void *arg),
			      void *arg);
void kunit_release_action(struct kunit *test, void (*action)(void *arg),
			  void *arg);
#endif

/* What kunit/ offers to the modules of other buses' tests. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define EXPORT_TO_TESTS(sym)	EXPORT_SYMBOL_NS_GPL(sym, "VMBKMCL_KUNIT")
#define IMPORT_TESTS_NS		MODULE_IMPORT_NS("VMBKMCL_KUNIT")
#else
#define EXPORT_TO_TESTS(sym)	EXPORT_SYMBOL_NS_GPL(sym, VMBKMCL_KUNIT)
#define IMPORT_TESTS_NS		MODULE_IMPORT_NS(VMBKMCL_KUNIT)
#endif

#ifndef KUNIT_EXPECT_MEMEQ
#define KUNIT_EXPECT_MEMEQ(test, left, right, size)			\
	KUNIT_EXPECT_EQ(test, memcmp(left, right, size), 0)
#define KUNIT_EXPECT_MEMEQ_MSG(test, left, right, size, fmt, ...)	\
	KUNIT_EXPECT_EQ_MSG(test, memcmp(left, right, size), 0, fmt,	\
			    ##__VA_ARGS__)
#endif

#ifndef KUNIT_FAIL_AND_ABORT
#define KUNIT_FAIL_AND_ABORT(test, fmt, ...)				\
	KUNIT_ASSERT_TRUE_MSG(test, false, fmt, ##__VA_ARGS__)
#endif

#ifndef KUNIT_CASE_SLOW
#define KUNIT_CASE_SLOW(name)	KUNIT_CASE(name)
#define KUNIT_CASE_PARAM_ATTR(name, gen_params, attributes)		\
	KUNIT_CASE_PARAM(name, gen_params)
#endif

#ifndef KUNIT_ARRAY_PARAM_DESC
#define KUNIT_ARRAY_PARAM_DESC(name, array, member)			\
	static void name ## _desc(typeof((array)[0]) *param, char *desc) \
	{								\
		strscpy(desc, param->member, KUNIT_PARAM_DESC_SIZE);	\
	}								\
	KUNIT_ARRAY_PARAM(name, array, name ## _desc)
#endif

/* The head of a function that makes parameters; 6.18 gave it the test. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define KUNIT_GENERATOR(name, prev, desc)				\
	static const void *name(struct kunit *test, const void *prev, char *desc)
#else
#define KUNIT_GENERATOR(name, prev, desc)				\
	static const void *name(const void *prev, char *desc)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline int kthread_stop_put(struct task_struct *task)
{
	int result = kthread_stop(task);

	put_task_struct(task);
	return result;
}
#endif

#endif /* _KUNIT_COMPAT_H */
