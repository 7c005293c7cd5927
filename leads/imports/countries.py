"""The code of a country by whatever a file calls it: codes of ISO 3166-1, English names, names that it calls itself."""

import re

from forms_builder.countries import COUNTRIES
from leads.vault.search import fold

# Two letters and the three of the same country (ISO 3166-1).
ALPHA_3 = """
ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH BBBRB BDBGD
BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN
CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU
DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB
GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG
HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN
KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU
LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR
MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL
OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB
RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD STSTP
SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN
TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF
ZMZMB ZWZWE
"""
# Beside the names of `COUNTRIES`: usual and official English ones, and what people of larger markets call their own.
CALLED = {
    "AE": "UAE; Emirates; الإمارات; الإمارات العربية المتحدة",
    "AT": "Österreich; Oesterreich",
    "BA": "Bosnia; Bosna i Hercegovina",
    "BE": "België; Belgique; Belgien",
    "BG": "България",
    "BN": "Brunei Darussalam",
    "BO": "Bolivia, Plurinational State of",
    "BQ": "Bonaire, Sint Eustatius and Saba; Caribbean Netherlands",
    "BR": "Brasil",
    "BY": "Беларусь",
    "CD": "Congo, The Democratic Republic of the; Democratic Republic of the Congo; DR Congo; DRC; Congo-Kinshasa",
    "CG": "Congo; Republic of the Congo; Congo-Brazzaville",
    "CH": "Schweiz; Suisse; Svizzera; Svizra",
    "CI": "Ivory Coast",
    "CN": "People's Republic of China; PRC; Mainland China; 中国; 中國; 中华人民共和国",
    "CV": "Cabo Verde",
    "CZ": "Czech Republic; Česko; Česká republika",
    "DE": "Deutschland; Federal Republic of Germany; Bundesrepublik Deutschland; BRD",
    "DK": "Danmark",
    "DZ": "Algérie; الجزائر",
    "EE": "Eesti",
    "EG": "مصر",
    "ES": "España",
    "FI": "Suomi",
    "FK": "Falkland Islands (Malvinas)",
    "FM": "Micronesia, Federated States of; Federated States of Micronesia",
    "GB": "UK; Great Britain; Britain; England; Scotland; Wales; Northern Ireland; "
    "United Kingdom of Great Britain and Northern Ireland",
    "GR": "EL; Hellas; Hellenic Republic; Ελλάδα",
    "HK": "Hong Kong SAR; Hong Kong SAR China; 香港",
    "HR": "Hrvatska",
    "HU": "Magyarország",
    "IE": "Republic of Ireland; Éire",
    "IL": "ישראל",
    "IN": "Bharat; भारत",
    "IR": "Iran, Islamic Republic of; Islamic Republic of Iran",
    "IS": "Ísland",
    "IT": "Italia",
    "JP": "Nippon; 日本",
    "KN": "Saint Kitts and Nevis",
    "KP": "Korea, Democratic People's Republic of; Democratic People's Republic of Korea; DPRK",
    "KR": "Korea; Korea, Republic of; Republic of Korea; 대한민국; 한국",
    "KZ": "Қазақстан",
    "LA": "Lao People's Democratic Republic",
    "LC": "Saint Lucia",
    "LT": "Lietuva",
    "LU": "Luxemburg; Lëtzebuerg",
    "LV": "Latvija",
    "MA": "Maroc; المغرب",
    "MD": "Moldova, Republic of; Republic of Moldova",
    "MK": "Macedonia; Republic of North Macedonia",
    "MM": "Burma",
    "MO": "Macao; Macao SAR; 澳門; 澳门",
    "MX": "United Mexican States",
    "NL": "Holland; Nederland",
    "NO": "Norge; Noreg",
    "PH": "Pilipinas",
    "PL": "Polska; Republic of Poland",
    "PS": "State of Palestine; Palestine, State of; Palestinian Territories",
    "RO": "România",
    "RS": "Srbija; Србија",
    "RU": "Russian Federation; Россия; Российская Федерация",
    "SA": "KSA; Kingdom of Saudi Arabia; السعودية; المملكة العربية السعودية",
    "SE": "Sverige",
    "SI": "Slovenija",
    "SK": "Slovak Republic; Slovensko",
    "ST": "São Tomé and Príncipe",
    "SX": "Sint Maarten",
    "SY": "Syrian Arab Republic",
    "SZ": "Swaziland",
    "TH": "ไทย; ประเทศไทย",
    "TL": "Timor-Leste",
    "TN": "Tunisie; تونس",
    "TR": "Turkey",
    "TW": "Taiwan, Province of China; 台灣; 台湾; 臺灣",
    "TZ": "Tanzania, United Republic of; United Republic of Tanzania",
    "UA": "Україна",
    "US": "United States of America; America; Estados Unidos",
    "VA": "Holy See; Holy See (Vatican City State); Vatican",
    "VC": "Saint Vincent and the Grenadines",
    "VE": "Venezuela, Bolivarian Republic of",
    "VN": "Viet Nam; Việt Nam",
    "ZA": "Republic of South Africa; RSA; Suid-Afrika",
}
_APART = re.compile(r"[\W_]+")


def _folded(name: str) -> str:
    return _APART.sub("", fold(name).replace("&", "and")).removeprefix("the")


_CODES = {
    _folded(name): code
    for code, country in COUNTRIES.items()
    for name in (code, country, *filter(None, CALLED.get(code, "").split("; ")))
} | {both[2:].casefold(): both[:2] for both in ALPHA_3.split()}


def country_code(name: str) -> str:
    """Return the two letters of a country; "" where nothing is called so."""
    return _CODES.get(_folded(name), "")
