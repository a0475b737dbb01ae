#!/usr/bin/env python3
"""The checkers find what they are for, and nothing in a tree that is right."""
import sys
import tempfile
import unittest
from pathlib import Path

import check
import layers
from tree import Tree

GOOD = {
    "README.md": "Type `./test unit`, see [the text](protocol/SPEC.md#frm-frames), `protocol/a.{h,cpp}`,\n"
                 "`parse()`, `sealwire send --json`.\n\n<!-- file: run -->\n```sh\necho\n```\n",
    "run": "echo\n",
    "test": "--ci",
    "tests/stages/unit": "",
    "protocol/a.h": "void parse(); // FRM-001, not SHA-256\n",
    "protocol/a.cpp": '#include "protocol/a.h"\n',
    "protocol/statement.h": 'kA = "sealwire/0 a";\n',
    "protocol/schema/frame.fbs": "enum Code : ushort { ok = 0, bad = 1 }",
    "protocol/SPEC.md": "## FRM Frames\n- **FRM-001** It MUST be. `sealwire/0 a`\n"
                        "## ERR Errors\n| ok | 0 | |\n| bad | 1 | |\n",
    "sdk/cli/send.cpp": 'add("send", "--json");\n',
}


def problems(checks, changes):
    with tempfile.TemporaryDirectory() as root:
        for name, text in {**GOOD, **changes}.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [p for c in checks for p in c(Tree(root))]


class Documents(unittest.TestCase):
    def expect(self, changes, text):
        found = problems(check.CHECKS, changes)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def test_nothing_is_found_where_all_is_right(self):
        self.assertEqual(problems(check.CHECKS, {}), [])

    def test_a_path_that_is_not_there(self):
        self.expect({"docs/a.md": "`protocol/b.h`"}, "no protocol/b.h")

    def test_a_file_name_that_is_not_there(self):
        self.expect({"docs/a.md": "`other.cpp`"}, "called other.cpp")

    def test_a_link_that_leads_nowhere(self):
        self.expect({"docs/a.md": "[x](b.md)"}, "leads nowhere")

    def test_a_heading_that_is_not_there(self):
        self.expect({"docs/a.md": "[x](../protocol/SPEC.md#xyz)"}, "no heading #xyz")

    def test_a_quotation_that_differs(self):
        self.expect({"run": "echo 2\n"}, "differs from run")

    def test_an_id_defined_twice(self):
        self.expect({"protocol/SPEC.md": GOOD["protocol/SPEC.md"] + "- **FRM-001** It MUST.\n"},
                    "defined twice")

    def test_a_requirement_with_two_musts(self):
        self.expect({"protocol/SPEC.md": GOOD["protocol/SPEC.md"] + "- **FRM-002** MUST and MUST.\n"},
                    "exactly one MUST")

    def test_an_id_in_the_code_that_the_text_lacks(self):
        self.expect({"protocol/a.cpp": "// FRM-009"}, "FRM-009 is not in")

    def test_a_code_with_another_value(self):
        found = problems(check.CHECKS, {"protocol/schema/frame.fbs": "enum Code { ok = 0, bad = 2 }"})
        self.assertEqual(len(found), 2, found)

    def test_a_label_that_the_text_lacks(self):
        self.expect({"protocol/statement.h": 'kA = "sealwire/0 a"; kB = "sealwire/0 b";'},
                    "statement.h only")

    def test_a_function_that_is_not_there(self):
        self.expect({"docs/a.md": "`Frame::missing()`"}, "nothing is called")

    def test_a_stage_that_is_not_there(self):
        self.expect({"docs/a.md": "```sh\n./test unti\n```"}, "knows no unti")

    def test_a_flag_that_is_not_there(self):
        self.expect({"docs/a.md": "`sealwire send --jsn`"}, "no --jsn")

    def test_a_command_that_is_not_there(self):
        self.expect({"docs/a.md": "`sealwire snd`"}, "no command snd")
        self.expect({"docs/a.md": "`sealwire --json snd bob`"}, "no command snd")


class Layers(unittest.TestCase):
    def expect(self, check_, changes, text):
        found = problems([check_], changes)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def test_the_protocol_knows_no_broker(self):
        self.expect(layers.layers, {"protocol/a.cpp": '#include "broker/b.h"'}, "may not include")

    def test_broker_and_sdk_do_not_meet(self):
        self.expect(layers.layers, {"broker/a.cpp": '#include "sdk/cpp/a.h"'}, "may not include")
        self.expect(layers.layers, {"sdk/cpp/a.cpp": '#include "broker/a.h"'}, "may not include")

    def test_the_conformance_suite_stands_apart_but_for_the_schema(self):
        self.expect(layers.layers,
                    {"conformance/a.cpp": '#include "protocol/schema/frame_generated.h"\n'
                                          '#include "protocol/a.h"'}, "protocol/a.h")

    def test_installed_headers_need_nothing_that_is_not_installed(self):
        self.expect(layers.layers, {"sdk/cpp/include/sealwire/a.h": '#include "protocol/a.h"'},
                    "may not include")

    def test_paths_start_at_the_root(self):
        self.expect(layers.from_the_root, {"protocol/a.cpp": '#include "a.h"'}, "from the root")

    def test_heavy_headers_do_not_leave_their_folder(self):
        heavy = {"broker/a/a.h": "#include <boost/asio.hpp>",
                 "broker/a/b.h": '#include "broker/a/a.h"',
                 "broker/a/b.cpp": '#include "broker/a/b.h"'}
        self.assertEqual(problems([layers.heavy_headers], heavy), [])
        self.expect(layers.heavy_headers, {**heavy, "broker/c.cpp": '#include "broker/a/b.h"'},
                    "brings a heavy header")

    def test_the_protocol_has_no_clock(self):
        self.expect(layers.sans_io, {"protocol/a.cpp": "#include <chrono>"}, "chrono")


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=1).result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed", flush=True)
    sys.exit(bad != 0)
