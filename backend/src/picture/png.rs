//! A picture's SVG in pixels, with the page's own fonts.

use super::PictureError;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Style};
use resvg::usvg::{Options, Tree};
use std::sync::{Arc, LazyLock};

/// The page's fonts, as it is served them.
const FONTS: [&[u8]; 2] = [
    include_bytes!("../../../frontend/fonts/inter.woff2"),
    include_bytes!("../../../frontend/fonts/jetbrains-mono.woff2"),
];

static OWN: LazyLock<Arc<Database>> = LazyLock::new(|| Arc::new(own()));
/// For what the page's fonts, which hold few letters beyond western ones, have no letters for.
static WITH_SYSTEMS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let (mut fonts, mut systems) = (own(), Database::new());
    systems.load_system_fonts();
    // The first that has a letter is taken: one like the page's own, if there is one.
    let mut faces: Vec<_> = systems.faces().cloned().collect();
    faces.sort_by_cached_key(|face| {
        let is_named = |word: &str| face.families.iter().any(|(name, _)| name.contains(word));
        (face.style != Style::Normal, face.weight.0.abs_diff(400), !is_named("Sans"), is_named("Serif"))
    });
    for face in faces {
        fonts.push_face_info(face);
    }
    Arc::new(fonts)
});

fn own() -> Database {
    let mut fonts = Database::new();
    for font in FONTS {
        match wuff::decompress_woff2(font) {
            Ok(font) => fonts.load_font_data(font),
            Err(error) => tracing::error!(?error, "a font of the page cannot be unpacked"),
        }
    }
    fonts.set_sans_serif_family("Inter");
    fonts.set_serif_family("Inter");
    fonts.set_monospace_family("JetBrains Mono");
    fonts
}

/// Draws an SVG into a PNG of this size. The system's fonts are looked for once, when first something has to be written that
/// the page's own have no letters for.
pub(super) fn rasterised(svg: &str, width: u32, height: u32) -> Result<Vec<u8>, PictureError> {
    let failed = |error: &dyn std::fmt::Display| PictureError::Failed(error.to_string());
    let fontdb = if svg.chars().all(is_own) { Arc::clone(&OWN) } else { Arc::clone(&WITH_SYSTEMS) };
    let options = Options { fontdb, ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| failed(&error))?;
    let mut pixels = Pixmap::new(width, height)
        .ok_or_else(|| PictureError::Failed(format!("{width} by {height} pixels")))?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(&error))
}

/// Whether the page's fonts have this character.
fn is_own(c: char) -> bool {
    matches!(c, ' '..='~' | '\n' | 'à'..='ÿ' | 'Ä' | 'Ö' | 'Ü' | 'ß' | '×' | '±' | '°' | 'µ' | '·' | '…' | '−' | '–' | '—')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_fonts_are_there_and_have_what_they_are_taken_for() {
        let families: Vec<String> =
            OWN.faces().flat_map(|face| face.families.iter().map(|(name, _)| name.clone())).collect();
        assert_eq!(families, ["Inter", "JetBrains Mono"]);
    }
}
