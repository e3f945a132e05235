//! Everything that is no baseline: one clear line each, with what to do, and never a hang.

use std::fs::{self, File};

use crate::repository::Repository;

fn against(baseline: &str) -> [&str; 3] {
    ["compat", "--against", baseline]
}

#[test]
fn a_name_that_is_nothing_is_refused_with_a_near_one() {
    let repository = Repository::of_this_project();
    repository.run(&against("mian")).refused("`mian` is no file, folder or git ref; did you mean `main`?");
    repository.run(&against("nothing-like-it")).refused("`git fetch origin nothing-like-it`");
    repository.run(&["compat", "--against=--output=x"]).refused("is no file, folder or git ref");
    repository.run(&against(":proto")).refused("is no file, folder or git ref");
}

#[test]
fn a_ref_without_the_folder_is_refused() {
    let repository = Repository::of_this_project();
    repository.run(&against("main:contracts")).refused("`main` has no `contracts`");
    repository.write("docs/README.md", "no contracts");
    repository.commit();
    repository.run(&against("change:docs")).refused("there is no .proto file under `docs` of `change`");
    repository.run(&against("change:docs/README.md")).refused("is no descriptor set that can be compared");
    fs::rename(repository.path("proto"), repository.path("contracts")).unwrap();
    repository.run(&["compat", "--against", "main", "contracts"]).refused("`main` has no `contracts`");
}

/// Planted: a link whose text, the name of another file, is compiled.
#[test]
fn a_link_and_a_file_that_is_no_text_are_refused() {
    let repository = Repository::of_this_project();
    std::os::unix::fs::symlink("catalog.proto", repository.path("proto/catalog/v1/link.proto")).unwrap();
    repository.commit();
    repository.run(&against("change")).refused("`catalog/v1/link.proto` of `change` is a symbolic link");
    fs::remove_file(repository.path("proto/catalog/v1/link.proto")).unwrap();
    repository.write("proto/rubbish.proto", [0xff, 0xfe]);
    repository.commit();
    fs::remove_file(repository.path("proto/rubbish.proto")).unwrap();
    repository.run(&against("change")).refused("`rubbish.proto` of `change` is not UTF-8");
}

#[test]
fn outside_of_a_repository_and_without_git_a_ref_is_refused() {
    let repository = Repository::of_this_project();
    fs::remove_dir_all(repository.path(".git")).unwrap();
    repository.run(&against("main")).refused("there is no git repository here");
    repository.run_in("", &[("PATH", "")], &against("main")).refused("git is not there");
}

/// Planted: the path is taken, and the tree compared with itself.
#[test]
fn a_path_that_is_a_ref_too_has_to_say_which() {
    let repository = Repository::of_this_project();
    repository.git(&["branch", "proto"]);
    repository.run(&against("proto")).refused("`proto` is a path and a git ref; write `./proto`");
    assert_eq!(repository.run(&against("./proto")).code, Some(0));
    assert_eq!(repository.run(&against("proto:proto")).code, Some(0));
}

/// Planted: files that are read before their size is looked at.
#[test]
fn files_that_are_no_descriptor_set_are_refused_whatever_their_size() {
    let repository = Repository::of_this_project();
    for rubbish in [&b"rubbish"[..], b"", &[0xff; 4096]] {
        repository.write("set.binpb", rubbish);
        let ended = repository.run(&against("set.binpb"));
        if rubbish.is_empty() {
            // An empty set is one: of nothing, and so nothing is missed of it.
            assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{ended:#?}");
        } else {
            ended.refused("is no descriptor set that can be compared");
        }
    }
    // As long as 100 MB, and not written to the disk.
    File::create(repository.path("set.binpb")).unwrap().set_len(100 << 20).unwrap();
    repository
        .run(&against("set.binpb"))
        .refused("`set.binpb` has 104857600 bytes; at most 67108864 are read");
    File::create(repository.path("proto/large.proto")).unwrap().set_len(100 << 20).unwrap();
    repository.run(&against("main")).refused("large.proto` has 104857600 bytes");
    fs::remove_file(repository.path("proto/large.proto")).unwrap();
    repository
        .run(&against("proto/catalog/v1/catalog.proto"))
        .refused("is one file of contracts; name the folder");
    repository.run(&against("/dev/zero")).refused("`/dev/zero` is neither a file nor a folder");
}

#[test]
fn folders_without_contracts_or_with_themselves_in_them_are_refused() {
    let repository = Repository::of_this_project();
    fs::create_dir(repository.path("empty")).unwrap();
    repository.run(&against("empty")).refused("there is no .proto file under `empty`");
    repository.run(&["compat", "--against", "main", "missing"]).refused("failed to read `missing`");
    for link in ["one", "two"] {
        std::os::unix::fs::symlink("..", repository.path("empty").join(link)).unwrap();
    }
    repository.run(&against("empty")).refused("there is too much under `empty`");
}

#[test]
fn imports_in_a_circle_are_told_with_their_lines() {
    let repository = Repository::of_this_project();
    let file = |other: &str| format!("syntax = \"proto3\";\npackage {other}s;\nimport \"{other}.proto\";\n");
    repository.write("circle/a.proto", file("b"));
    repository.write("circle/b.proto", file("a"));
    let ended = repository.run(&against("circle"));
    assert_eq!(ended.code, Some(10), "{ended:#?}");
    assert!(ended.out.contains("error[FH1005]: ") && ended.out.contains(" of circle\n"), "{}", ended.out);
}

#[test]
fn a_release_that_is_rubbish_or_has_no_version_is_refused() {
    let repository = Repository::of_this_project();
    repository.write("contracts/released/0.1.0.binpb", "rubbish");
    repository.run(&against("main")).refused("`0.1.0` is no descriptor set that can be compared");
    repository.write("contracts/released/latest.binpb", "");
    repository.run(&against("main")).refused("latest.binpb` is not named after its version");
}
