/* The register of libraries against a naive model, and its promises one by one. */
#include "unit.h"

#include "base/random.h"
#include "script/function_library.h"

#include <ctype.h>

enum { LIBRARIES = 12, FUNCTIONS = 5, NAMES = 40 };

/* What the model knows of a library: which names its functions have. */
struct model {
    bool is_in;
    char functions[FUNCTIONS][8];
    size_t count;
    struct library *made;
};

static struct bytes name_of(const char *prefix, uint64_t id, char *out, size_t size)
{
    return (struct bytes){out, (size_t)snprintf(out, size, "%s%u", prefix, (unsigned)id)};
}

static void add_function(struct library *library, const char *name, int pin)
{
    struct library_function function = {.name = bytes_from_string(name), .pin = pin};

    assert_non_null(library_add(library, &function));
}

static bool is_same_name(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b))
        a++, b++;
    return !*a && !*b;
}

static const struct model *model_owner(const struct model *naive, const char *name)
{
    for (int i = 0; i < LIBRARIES; i++)
        for (size_t j = 0; naive[i].is_in && j < naive[i].count; j++)
            if (is_same_name(naive[i].functions[j], name))
                return &naive[i];
    return NULL;
}

/* A library with some functions, whose names differ letter by letter. */
static struct library *make_library(struct random *random, struct model *model, struct bytes name)
{
    struct library *library = library_new(name, BYTES("code"));

    model->count = 0;
    while (model->count < FUNCTIONS && random_below(random, 4)) {
        struct library_function function = {.pin = (int)model->count, .flags = 1};
        char text[8];

        function.name = name_of(random_below(random, 2) ? "f" : "F", random_below(random, NAMES), text, sizeof text);
        if (library_add(library, &function))
            memcpy(model->functions[model->count++], text, sizeof text);
    }
    return library;
}

static bool clashes_in_model(const struct model *naive, const struct model *fresh, const struct model *replaced)
{
    for (size_t i = 0; i < fresh->count; i++) {
        const struct model *owner = model_owner(naive, fresh->functions[i]);

        if (owner && owner != replaced)
            return true;
    }
    return false;
}

static void agree(const struct libraries *libraries, const struct model *naive)
{
    size_t count = 0, functions = 0;
    char text[8];

    for (int i = 0; i < LIBRARIES; i++) {
        assert_ptr_equal(libraries_find(libraries, name_of("l", (uint64_t)i, text, sizeof text)),
                         naive[i].is_in ? naive[i].made : NULL);
        count += naive[i].is_in;
        functions += naive[i].is_in ? naive[i].count : 0;
    }
    assert_int_equal(libraries_count(libraries), count);
    assert_int_equal(libraries->function_count, functions);
    for (unsigned i = 0; i < NAMES; i++) {
        const struct library_function *found =
            libraries_find_function(libraries, name_of("f", i, text, sizeof text));
        const struct model *owner = model_owner(naive, text);

        assert_ptr_equal(found ? found->library : NULL, owner ? owner->made : NULL);
    }
}

static void a_random_run_agrees_with_the_model(void **state)
{
    struct libraries *libraries = libraries_new();
    struct model naive[LIBRARIES] = {{0}};
    struct random random;

    random_init(&random, 1);
    for (size_t step = 0; step < RANDOM_STEPS((size_t)20000); step++) {
        struct model *model = &naive[random_below(&random, LIBRARIES)], fresh = {.is_in = true};
        char text[8];

        if (random_below(&random, 3)) {
            fresh.made = make_library(&random, &fresh, name_of("l", (uint64_t)(model - naive), text, sizeof text));
            if (libraries_clash(libraries, fresh.made, model->is_in ? model->made : NULL)) {
                assert_true(clashes_in_model(naive, &fresh, model));
                library_free(fresh.made);
                continue;
            }
            assert_false(clashes_in_model(naive, &fresh, model));
        }
        if (model->is_in) {
            libraries_unlink(libraries, model->made);
            library_free(model->made);
            model->is_in = false;
        }
        if (fresh.made) {
            libraries_link(libraries, fresh.made);
            *model = fresh;
        }
        libraries_check(libraries);
        agree(libraries, naive);
    }
    libraries_free(libraries);
}

static void a_function_is_found_whatever_its_case(void **state)
{
    struct libraries *libraries = libraries_new();
    struct library *library = library_new(BYTES("mylib"), BYTES("#!lua name=mylib\n"));

    add_function(library, "MyFunction", 7);
    libraries_link(libraries, library);
    assert_int_equal(libraries_find_function(libraries, BYTES("mYfUNCTION"))->pin, 7);
    assert_null(libraries_find_function(libraries, BYTES("MyFunction2")));
    assert_null(libraries_find_function(libraries, BYTES("")));
    assert_null(libraries_find(libraries, BYTES("MYLIB")));
    libraries_free(libraries);
}

static void of_names_that_differ_by_case_the_first_is_found(void **state)
{
    struct libraries *libraries = libraries_new();
    struct library *library = library_new(BYTES("l"), BYTES(""));

    add_function(library, "A", 1);
    add_function(library, "a", 2);
    libraries_link(libraries, library);
    libraries_check(libraries);
    assert_int_equal(libraries_find_function(libraries, BYTES("a"))->pin, 1);
    assert_int_equal(libraries->function_count, 2);
    libraries_unlink(libraries, library);
    libraries_check(libraries);
    assert_null(libraries_find_function(libraries, BYTES("a")));
    library_free(library);
    libraries_free(libraries);
}

static void a_name_twice_in_a_library_is_refused(void **state)
{
    struct library *library = library_new(BYTES("l"), BYTES(""));
    struct library_function again = {.name = BYTES("f")};

    add_function(library, "f", 1);
    assert_null(library_add(library, &again));
    assert_int_equal(library->count, 1);
    library_free(library);
}

static void a_very_long_name_is_found(void **state)
{
    static char name[3000];
    struct libraries *libraries = libraries_new();
    struct library *library = library_new(BYTES("l"), BYTES(""));
    struct library_function function = {.name = {name, sizeof name}};

    memset(name, 'x', sizeof name);
    library_add(library, &function);
    libraries_link(libraries, library);
    memset(name, 'X', sizeof name);
    assert_ptr_equal(libraries_find_function(libraries, function.name), library->first);
    libraries_free(libraries);
}

static void an_empty_description_is_one(void **state)
{
    struct library *library = library_new(BYTES("l"), BYTES(""));
    struct library_function with = {.name = BYTES("a"), .description = BYTES("")};
    struct library_function without = {.name = BYTES("b")};

    assert_non_null(library_add(library, &with)->description.data);
    assert_null(library_add(library, &without)->description.data);
    library_free(library);
}

static void a_name_is_letters_digits_and_underscores(void **state)
{
    assert_true(library_name_is_good(BYTES("a_Z09")));
    assert_false(library_name_is_good(BYTES("")));
    assert_false(library_name_is_good(BYTES("a-b")));
    assert_false(library_name_is_good(BYTES("\xc3\xa9")));
    assert_false(library_name_is_good(BYTES("a\0b")));
}

static void memory_comes_back(void **state)
{
    struct libraries *libraries = libraries_new();
    struct library *library = library_new(BYTES("l"), BYTES("some code"));
    size_t bytes;

    add_function(library, "f", 1);
    libraries_link(libraries, library);
    bytes = libraries->bytes;
    assert_true(bytes > 0 && libraries_memory(libraries) > bytes);
    libraries_unlink(libraries, library);
    assert_int_equal(libraries->bytes, 0);
    library_free(library);
    libraries_free(libraries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_run_agrees_with_the_model),
        cmocka_unit_test(a_function_is_found_whatever_its_case),
        cmocka_unit_test(of_names_that_differ_by_case_the_first_is_found),
        cmocka_unit_test(a_name_twice_in_a_library_is_refused),
        cmocka_unit_test(a_very_long_name_is_found),
        cmocka_unit_test(an_empty_description_is_one),
        cmocka_unit_test(a_name_is_letters_digits_and_underscores),
        cmocka_unit_test(memory_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
