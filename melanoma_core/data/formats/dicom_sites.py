"""Body sites: codes of DICOM's anatomic regions, and the sites of the ISIC Archive that they mean.

Codes are those of SNOMED CT, of DICOM, and of the Foundational Model of Anatomy, in the context
groups 4029 (Dermatology Anatomic Site) and 4 (Anatomic Region). A code is mapped to the same or to
the next larger site; what has none, such as "skin", is mapped to nothing. The tests look for every
code among those that pydicom knows.
"""

_HEAD, _FACE = "Head and neck:Head", "Head and neck:Head:Face"
_NECK, _EAR, _SCALP = "Head and neck:Neck", f"{_HEAD}:Ear", f"{_HEAD}:Scalp"
_CHEST, _ABDOMEN = "Trunk:Anterior trunk:Anterior chest", "Trunk:Anterior trunk:Anterior abdomen"
_UPPER_CHEST, _BREAST = f"{_CHEST}:Upper anterior chest", f"{_CHEST}:Breast"
_SIDE, _BACK = "Trunk:Lateral trunk", "Trunk:Posterior trunk"
_ARM, _LEG = "Upper extremity", "Lower extremity"
_HAND, _FOOT = f"{_ARM}:Hand", f"{_LEG}:Foot"
_FINGERS, _SOLE, _TOES = f"{_HAND}:Fingers and thumb", f"{_FOOT}:Sole of foot", f"{_FOOT}:Toes"
_PERIANAL, _GENITAL = "Anogenital region:Perianal region", "Anogenital region:Genital region"
_EYE, _ORAL, _MOUTH = f"{_FACE}:Orbital region", f"{_FACE}:Oral region", f"{_FACE}:Mouth"

_SNOMED = {
    _HEAD: ("70762009", "69536005", "86719006"),
    "Head and neck": ("774007", "34926004", "5713008"),
    _NECK: ("43081002", "45048000"),
    f"{_NECK}:Front of neck": ("11584001", "182329002"),
    f"{_NECK}:Side of neck": ("5272005",),
    f"{_NECK}:Nape of neck": ("4658004",),
    f"{_NECK}:Supraclavicular region": ("76072005", "77621008"),
    _SCALP: ("43067004", "41695006"),
    f"{_SCALP}:Temporal scalp": ("16621002",),
    f"{_SCALP}:Parietal scalp": ("21672008",),
    f"{_SCALP}:Occipital scalp": ("79951008",),
    f"{_SCALP}:Vertex of scalp": ("61719002",),
    _EAR: ("1902009", "117590005", "24483006"),
    f"{_EAR}:Pinna": ("2059009", "38407007", "79502000", "45591000"),
    f"{_EAR}:Pinna:Helix of pinna": ("79313003", "57726007"),
    f"{_EAR}:Pinna:Concha": ("51098001",),
    _FACE: ("73897004", "89545001", "244097004"),
    f"{_EAR}:External auditory canal": ("86409001",),
    f"{_ORAL}:Nasolabial fold": ("37108007",),
    f"{_FACE}:Forehead": ("68698007",),
    f"{_FACE}:Cheek": ("36141000", "60819002"),
    f"{_FACE}:Chin": ("23747009",),
    f"{_FACE}:Nose": ("113179006", "45206002"),
    f"{_FACE}:Nose:Tip of nose": ("79283007",),
    f"{_FACE}:Nose:Ala nasi": ("68598004",),
    f"{_FACE}:Nose:Lateral side wall of nose": ("314395006",),
    _EYE: ("362916000", "371398005", "27887005", "37671003"),
    f"{_EYE}:Eyelid": ("40069000", "41310005", "80243003"),
    f"{_EYE}:Periorbital region": ("367577003",),
    f"{_EYE}:Cornea": ("28726007",),
    f"{_EYE}:Iris": ("41296002",),
    f"{_EYE}:Sclera": ("18619003",),
    f"{_ORAL}:Perioral region": ("110488009",),
    f"{_ORAL}:Lip": ("88089004",),
    f"{_ORAL}:Upper lip": ("16251004", "18444004", "84365009"),
    f"{_ORAL}:Lower lip": ("66934001", "46353006"),
    f"{_MOUTH}:Oral mucosa": ("113277000",),
    f"{_MOUTH}:Floor of mouth": ("36152006",),
    f"{_MOUTH}:Gingiva": ("245814000", "245823002"),
    f"{_MOUTH}:Tongue": ("8001006", "245831007", "21974007"),
    _MOUTH: ("123851003",),
    "Trunk": ("22943007", "816094009", "54440003"),
    "Trunk:Anterior trunk": ("181491009",),
    _CHEST: ("244106003",),
    f"{_UPPER_CHEST}:Clavicle": ("51299004",),
    f"{_UPPER_CHEST}:Infraclavicular region": ("66288003",),
    f"{_UPPER_CHEST}:Presternal region": ("244107007",),
    f"{_CHEST}:Lower anterior chest": ("699915001",),
    _BREAST: ("76752008",),
    f"{_BREAST}:Areola": ("72005009",),
    f"{_BREAST}:Nipple": ("54468004",),
    f"{_BREAST}:Upper outer quadrant of breast": ("76365002",),
    f"{_BREAST}:Upper inner quadrant of breast": ("77831004",),
    f"{_BREAST}:Lower outer quadrant of breast": ("33564002",),
    f"{_BREAST}:Lower inner quadrant of breast": ("19100000",),
    _ABDOMEN: ("75093004", "818981001"),
    f"{_ABDOMEN}:Upper anterior abdomen": ("699935000", "30598005"),
    f"{_ABDOMEN}:Lower anterior abdomen": ("699914002",),
    f"{_ABDOMEN}:Lower anterior abdomen:Inguinal region": ("39687006", "26893007"),
    f"{_ABDOMEN}:Lower anterior abdomen:Hypogastric region": ("367578008", "11708003"),
    f"{_ABDOMEN}:Periumbilical region": ("90290004",),
    f"{_ABDOMEN}:Periumbilical region:Umbilicus": ("315003",),
    f"{_SIDE}:Axilla": ("76261009", "91470000"),
    _SIDE: ("58602004",),
    _BACK: ("66643007", "77568009"),
    f"{_BACK}:Upper back": ("244111001", "699893008"),
    f"{_BACK}:Lower back": ("113182001", "52612000"),
    _ARM: ("371311000", "53120007"),
    f"{_ARM}:Shoulder": ("16982005",),
    f"{_ARM}:Upper arm": ("40983000",),
    f"{_ARM}:Upper arm:Anterior upper arm": ("45981001",),
    f"{_ARM}:Upper arm:Posterior upper arm": ("72939005",),
    f"{_ARM}:Elbow:Antecubital fossa": ("17957002",),
    f"{_ARM}:Elbow:Elbow tip": ("181536004",),
    f"{_ARM}:Elbow": ("16953009",),
    f"{_ARM}:Forearm": ("14975008",),
    f"{_ARM}:Forearm:Volar forearm": ("70559009",),
    f"{_ARM}:Forearm:Dorsal forearm": ("41550009",),
    f"{_ARM}:Wrist": ("74670003",),
    f"{_ARM}:Wrist:Volar wrist": ("24527008",),
    f"{_ARM}:Wrist:Dorsal wrist": ("52876008",),
    _HAND: ("33712006", "85562004"),
    f"{_HAND}:Dorsum of hand": ("281642007",),
    f"{_HAND}:Palm of hand": ("70887009",),
    f"{_HAND}:Palm of hand:Thenar eminence": ("26795005",),
    f"{_HAND}:Palm of hand:Hypothenar eminence": ("89784008",),
    _FINGERS: ("244169007", "770809003", "7569003"),
    f"{_FINGERS}:Thumb": ("770810008", "76505004"),
    f"{_FINGERS}:Index finger": ("770815003",),
    f"{_FINGERS}:Middle finger": ("770816002",),
    f"{_FINGERS}:Ring finger": ("770817006",),
    f"{_FINGERS}:Little finger": ("770818001",),
    _LEG: ("371304004", "61685007"),
    f"{_LEG}:Buttock": ("22180002", "46862004"),
    f"{_LEG}:Buttock:Gluteal fold": ("63029009",),
    f"{_LEG}:Thigh": ("68367000",),
    f"{_LEG}:Thigh:Anterior thigh": ("61248009",),
    f"{_LEG}:Thigh:Posterior thigh": ("4578000",),
    f"{_LEG}:Thigh:Medial thigh": ("73958006",),
    f"{_LEG}:Thigh:Lateral thigh:Hip": ("29836001",),
    f"{_LEG}:Knee": ("72696002",),
    f"{_LEG}:Knee:Patellar region": ("181553006",),
    f"{_LEG}:Knee:Popliteal fossa": ("84507004", "32361000"),
    f"{_LEG}:Lower leg": ("30021000",),
    f"{_LEG}:Lower leg:Shin": ("25763004",),
    f"{_LEG}:Lower leg:Calf": ("47224004",),
    f"{_LEG}:Ankle": ("70258002",),
    f"{_LEG}:Ankle:Medial ankle": ("181563003",),
    f"{_LEG}:Ankle:Lateral ankle": ("181564009",),
    _FOOT: ("60496002", "56459004"),
    f"{_SOLE}:Heel": ("84607009", "699909001", "699919007"),
    f"{_SOLE}:Lateral plantar region": ("35739000",),
    f"{_SOLE}:Medial surface of sole of foot": ("52953006",),
    _TOES: ("52034004", "770805009", "29707007"),
    f"{_TOES}:Great toe": ("770822006",),
    f"{_TOES}:Second toe": ("770823001",),
    f"{_TOES}:Third toe": ("770825008",),
    f"{_TOES}:Fourth toe": ("770821004",),
    f"{_TOES}:Fifth toe": ("770820003",),
    f"{_PERIANAL}:Anus": ("59112000", "53505006"),
    f"{_PERIANAL}:Perineum": ("48014002", "38864007"),
    _GENITAL: ("60944009",),
    f"{_GENITAL}:Penis": ("35900000", "244117002", "244118007", "18911002"),
    f"{_GENITAL}:Penis:Glans penis": ("7991003",),
    f"{_GENITAL}:Scrotum": ("81992007", "20233005"),
    f"{_GENITAL}:Vulva": ("73058008", "45292006", "4019005"),
    f"{_GENITAL}:Vulva:Labium majus": ("128252004",),
    f"{_GENITAL}:Vulva:Labium minus": ("128253009",),
    f"{_GENITAL}:Vulva:Clitoris": ("29353003", "76723005"),
    f"{_GENITAL}:Vulva:Vulval vestibule": ("23213005",),
    f"{_GENITAL}:Vulva:Frenulum of labia minora": ("279867004",),
    f"{_GENITAL}:Vagina:Vaginal introitus": ("18857001",),
    f"{_GENITAL}:Perigenital region:Inguinocrural fold": ("280387007",),
}
_DICOM = {
    f"{_NECK}:Nape of neck": ("130300",),
    f"{_BACK}:Upper back:Paraspinal upper back": ("130302", "130301"),
    f"{_BACK}:Mid back": ("130323",),
    f"{_BACK}:Mid back:Paraspinal mid back": ("130303",),
    f"{_BACK}:Lower back:Paraspinal lower back": ("130304",),
    f"{_EAR}:Pinna": ("130308", "130316", "130320"),
    f"{_EAR}:Pinna:Helix of pinna": ("130305", "130307", "130315", "130319"),
    f"{_EAR}:Pinna:Antihelix of pinna": ("130310", "130318", "130321"),
    _EYE: ("130306",),
    f"{_EYE}:Eyelid": ("130311", "130322"),
    f"{_FACE}:Cheek:Perinasal region": ("130314",),
    f"{_FOOT}:Dorsum of foot": ("130309", "130313"),
    f"{_SOLE}:Plantar surface of forefoot": ("130317",),
}
_ANATOMY = {  # the Foundational Model of Anatomy
    f"{_BREAST}:Lower outer quadrant of breast": ("61423",),
    f"{_BREAST}:Lower inner quadrant of breast": ("61427",),
    f"{_BREAST}:Upper inner quadrant of breast": ("61426",),
    f"{_BREAST}:Upper outer quadrant of breast": ("61439",),
    f"{_ORAL}:Lower lip": ("312651",),
    f"{_ORAL}:Upper lip": ("312647",),
    f"{_MOUTH}:Palate": ("289677", "60030"),
    f"{_MOUTH}:Oropharynx": ("55060",),
    f"{_MOUTH}:Tongue": ("281534", "281537"),
    f"{_FACE}:Nose:Dorsum of nose": ("59532",),
    _BACK: ("49943",),
    f"{_FINGERS}:Thumb": ("38321", "38341"),
    f"{_FINGERS}:Index finger": ("38324", "38344"),
    f"{_FINGERS}:Middle finger": ("38327", "38347"),
    f"{_FINGERS}:Ring finger": ("38330", "38354"),
    f"{_FINGERS}:Little finger": ("38333", "38357"),
    f"{_TOES}:Great toe": ("37873", "38107"),
    f"{_TOES}:Second toe": ("37876", "38110"),
    f"{_TOES}:Third toe": ("37879", "38113"),
    f"{_TOES}:Fourth toe": ("37882", "38116"),
    f"{_TOES}:Fifth toe": ("37885", "38119"),
}
_CODES = {
    scheme: {code: site for site, codes in table.items() for code in codes}
    for scheme, table in (("SCT", _SNOMED), ("DCM", _DICOM), ("FMA", _ANATOMY))
}
# Terms of Body Part Examined (PS3.16, annex L), and those that ISIC 2020 writes there.
_BODY_PARTS = {
    **{"HEAD": _HEAD, "NECK": _NECK, "HEADNECK": "Head and neck", "SCALP": _SCALP, "EAR": _EAR},
    **{"FACE": _FACE, "CHEEK": f"{_FACE}:Cheek", "NOSE": f"{_FACE}:Nose", "LIP": f"{_ORAL}:Lip"},
    **{"EYELID": f"{_EYE}:Eyelid", "TRUNK": "Trunk", "TORSO": "Trunk", "CHEST": "Trunk"},
    **{"BREAST": _BREAST, "ABDOMEN": _ABDOMEN, "BACK": _BACK, "FLANK": _SIDE},
    **{"AXILLA": f"{_SIDE}:Axilla", "UPPERLIMB": _ARM, "UPPEREXTREMITY": _ARM, "ARM": _ARM},
    **{"SHOULDER": f"{_ARM}:Shoulder", "UPPERARM": f"{_ARM}:Upper arm", "ELBOW": f"{_ARM}:Elbow"},
    **{"FOREARM": f"{_ARM}:Forearm", "WRIST": f"{_ARM}:Wrist", "HAND": _HAND, "FINGER": _FINGERS},
    **{"LOWERLIMB": _LEG, "LOWEREXTREMITY": _LEG, "LEG": _LEG, "BUTTOCK": f"{_LEG}:Buttock"},
    **{"THIGH": f"{_LEG}:Thigh", "KNEE": f"{_LEG}:Knee", "LOWERLEG": f"{_LEG}:Lower leg"},
    **{"CALF": f"{_LEG}:Lower leg:Calf", "ANKLE": f"{_LEG}:Ankle", "FOOT": _FOOT, "TOE": _TOES},
    **{"HEEL": f"{_SOLE}:Heel", "ANUS": f"{_PERIANAL}:Anus", "PENIS": f"{_GENITAL}:Penis"},
    **{"SCROTUM": f"{_GENITAL}:Scrotum", "VULVA": f"{_GENITAL}:Vulva"},
}
_OLD_SCHEMES = {"SRT", "SNM3", "99SDM"}  # of SNOMED before SNOMED CT


def find_site(scheme: str, code: str) -> str | None:
    """Return the site that a coded anatomic region means; None if there is none.

    Args:
        scheme: Coding scheme designator: "SCT", "DCM", or an old one of SNOMED.
        code: The code.

    Example:
        >>> find_site("SCT", "66643007"), find_site("SRT", "T-D2100"), find_site("SCT", "39937001")
        ('Trunk:Posterior trunk', 'Trunk:Posterior trunk', None)
    """
    if scheme in _OLD_SCHEMES:
        from pydicom.sr._snomed_dict import mapping

        scheme, code = "SCT", mapping["SRT"].get(code, "")
    return _CODES.get(scheme, {}).get(code)


def find_body_part(term: str) -> str | None:
    """Return the site that a term of Body Part Examined means; None if there is none.

    Args:
        term: As it is written, such as "UPPER EXTREMITY".

    Example:
        >>> find_body_part("LOWER EXTREMITY"), find_body_part("CSPINE")
        ('Lower extremity', None)
    """
    return _BODY_PARTS.get("".join(each for each in term.upper() if each.isalpha())) or None


def list_codes() -> dict[tuple[str, str], str]:
    """Return the site of every code, by scheme and code."""
    return {
        (scheme, code): site for scheme, table in _CODES.items() for code, site in table.items()
    }
