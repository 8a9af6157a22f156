//! A folder that is away for a while, as a disk that is mounted anew.

use super::{World, line};
use std::fs;

#[test]
fn files_of_a_folder_that_cannot_be_read_for_a_while_stay_as_they_are() {
    let mut world = World::new();
    world.append("app.log", line(1));
    fs::create_dir(world.path("more")).unwrap();
    world.append("more/app.log", line(2));
    world.follow();
    let before = world.served();
    let of = |world: &World| -> Vec<u64> {
        let views = world.snapshot().days.into_iter().flat_map(|(_, views)| views);
        views.map(|view| view.segment.id()).collect()
    };
    let segments = of(&world);
    assert_eq!(before.len(), 2);
    // As a disk that is away for a moment.
    let (here, aside) = (world.dir.path().join("foreign"), world.dir.path().join("aside"));
    fs::rename(&here, &aside).unwrap();
    world.follow();
    fs::write(&here, "").unwrap();
    world.follow();
    assert_eq!(world.served(), before, "they are open and can be read");
    fs::remove_file(&here).unwrap();
    fs::rename(&aside, &here).unwrap();
    world.follow();
    assert_eq!((world.served(), of(&world)), (before, segments), "who follows gets nothing again");
}
