//! Builds the server anew when another page has been built.

fn main() {
    // An empty folder can be watched, one that is not there cannot: cargo would take it for changed at every build.
    // Where it cannot be made, as in a read-only checkout, that is all the harm.
    drop(std::fs::create_dir("../dist"));
    println!("cargo:rerun-if-changed=../dist");
}
